"""What is wrong with what a visitor typed, in words to be shown beside the field."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Collection
from typing import Any, Final

from asok.errors import ComponentError
from asok.live.fields import where

__all__ = ["check_validators", "has_validators", "message_of", "validated"]

_PREFIX: Final = "validate_"
#: What msgspec says, and what is shown for it; the first that is found counts.
_WORDS: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"of length >= (\d+)", "Must have at least {}."),
        (r"of length <= (\d+)", "Must have at most {}."),
        (r"Expected `\w+` >= (\S+)", "Must be at least {}."),
        (r"Expected `\w+` <= (\S+)", "Must be at most {}."),
        (r"Expected `\w+` > (\S+)", "Must be more than {}."),
        (r"Expected `\w+` < (\S+)", "Must be less than {}."),
        (r"multiple of (\S+)", "Must be a multiple of {}."),
        (r"matching regex", "Does not have the right form."),
        (r"RFC3339 encoded (\w+)", "Must be a {}."),
        (r"ISO8601", "Must be a duration."),
        (r"[Ii]nvalid enum value", "Choose one of those offered."),
        (r"[Uu]uid|UUID", "Does not have the right form."),
        (r"Expected `int", "Must be a whole number."),
        (r"Expected `(?:float|decimal)", "Must be a number."),
    )
)


def message_of(value: Any, error: Exception) -> str:
    """Return what to tell of a value that was not converted."""
    if value == "":
        return "Must be filled in."
    said = str(error)
    for pattern, words in _WORDS:
        found = pattern.search(said)
        if found is not None:
            amount = found[1].rstrip(".,") if found.groups() else ""
            if "length" in found[0]:
                amount += " character" if amount == "1" else " characters"
            return words.format(amount)
    return "This does not fit."


def validated(component: Any, name: str, value: Any, errors: dict[str, str]) -> Any:
    """Return what `validate_<name>` makes of a value, or note its message in `errors`.

    It raises `ValueError` with the message, or returns the value, changed or not.
    """
    validate = getattr(component, _PREFIX + name, None)
    if validate is None:
        return value
    try:
        made = validate(value)
    except ValueError as error:
        errors[name] = str(error) or "This does not fit."
        return value
    return value if made is None else made


def has_validators(cls: type) -> bool:
    """Whether a class has a `validate_…`."""
    return any(attribute.startswith(_PREFIX) for attribute in dir(cls))


def check_validators(cls: type, known: Collection[str]) -> None:
    """Raise `ComponentError` for a `validate_…` of what is no field and no parameter."""
    for attribute in dir(cls):
        if not attribute.startswith(_PREFIX):
            continue
        name = attribute.removeprefix(_PREFIX)
        if inspect.iscoroutinefunction(getattr(cls, attribute)):
            raise ComponentError(
                f"{cls.__name__}.{attribute} is async, and validators are called as they are.",
                fix="Ask what waits in the method itself, and write self.errors[…] there.",
                **where(cls, attribute),
            )
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {_PREFIX}{near[0]}?" if near else f"There is: {sorted(known)}."
            raise ComponentError(
                f"{cls.__name__}.{attribute} validates {name!r}, which is neither a field nor a "
                "parameter of an exposed method.",
                fix=hint,
                **where(cls, attribute),
            )
