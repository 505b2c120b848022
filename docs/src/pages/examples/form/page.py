"""A form that is rendered per request: checked on the server, answered with a message."""

from asok import Request

LIMITS = {"name": 60, "text": 400}
KEPT = 5


def get(request: Request):
    return show(request, values=dict.fromkeys(LIMITS, ""), errors={})


def post(request: Request):
    values = {name: request.form.get(name, "").strip() for name in LIMITS}
    errors = check(values)
    if errors:
        return show(request, values=values, errors=errors), 422
    notes = request.session.get("notes", [])
    request.session["notes"] = [values, *notes][:KEPT]
    request.flash(f"Thank you, {values['name']}. Your note was kept.")
    # A redirect after a POST: reloading the answer doesn't send the form again.
    return request.redirect("/examples/form")


def show(request: Request, *, values: dict[str, str], errors: dict[str, str]):
    notes = request.session.get("notes", [])
    return request.html("form.html", values=values, errors=errors, notes=notes)


def check(values: dict[str, str]) -> dict[str, str]:
    """Return what is wrong, by field."""
    errors = {name: "Please fill this in." for name, value in values.items() if not value}
    for name, limit in LIMITS.items():
        if len(values[name]) > limit:
            errors[name] = f"At most {limit} characters, please; this has {len(values[name])}."
    return errors
