"""Undefined variables that fail when they are used, and know what they were looked for in."""

from __future__ import annotations

from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateRuntimeError, UndefinedError
from jinja2.utils import missing

__all__ = ["StrictVariable", "VariableMissing"]


class VariableMissing(UndefinedError):
    """Jinja's error with the name that was asked for, and of what (`missing` for a variable)."""

    def __init__(self, message: str | None = None, name: str | None = None, owner: Any = missing):
        super().__init__(message)
        self.name = name
        self.owner = owner


class StrictVariable(StrictUndefined):
    """What Jinja gives for a name that is not there. Only `is defined` and `default` take it."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        def error(message: str) -> TemplateRuntimeError:
            if exc is UndefinedError and not hint:
                return VariableMissing(message, name, obj)
            return exc(message)

        # Jinja calls it with the message and raises what comes back.
        super().__init__(hint, obj, name, error)  # type: ignore[arg-type]
