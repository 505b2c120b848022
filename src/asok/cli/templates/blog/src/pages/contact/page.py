"""The contact form: shown by `get`, checked and kept by `post`."""

from asok import Request

from src.models import Message

FIELDS = {"name": 100, "email": 254, "text": 5000}


def get(request: Request):
    return request.html("form.html", values=dict.fromkeys(FIELDS, ""), errors={})


def post(request: Request):
    values = {name: request.form.get(name, "").strip() for name in FIELDS}
    errors = check(values)
    if errors:
        return request.html("form.html", values=values, errors=errors), 422
    Message.create(**values)
    request.flash(f"Thank you, {values['name']}. Your message has arrived.")
    return request.redirect("/contact")


def check(values: dict[str, str]) -> dict[str, str]:
    """Return what is wrong, by field."""
    errors = {name: "Please fill this in." for name, value in values.items() if not value}
    for name, most in FIELDS.items():
        if len(values[name]) > most:
            errors[name] = f"At most {most} characters, please."
    if values["email"] and "@" not in values["email"]:
        errors["email"] = "This is no e-mail address."
    return errors
