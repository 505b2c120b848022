"""What came with a visitor: to find it again in what a handler hands to its template."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from starlette.requests import HTTPConnection

from asok.sessions import Session

__all__ = ["Origins"]

#: Types of which one object stands for many equal values.
_SHARED = (bool, int, float, type(None), Enum)
_EMPTY = ()


class Origins:
    """Answers where an object came from: by its identity, for any text may equal another.

    `read` are the kinds of things (`user`, `session`, `cookie`, …) that the handler looked at.
    """

    def __init__(self, read: set[str], user: Any, session: Session, http: HTTPConnection) -> None:
        self.read = read
        self._user = user
        self._session = session
        self._http = http

    def origin(self, value: object) -> str | None:
        """Return the name (`user`, `session:cart`) of what of the visitor `value` is."""
        if isinstance(value, _SHARED) or value is _EMPTY:
            return None
        if isinstance(value, str | bytes) and len(value) < 2:
            return None
        if value is self._user:
            return "user"
        own: dict[str, Any] = getattr(self._user, "__dict__", {})
        if _name(own.items(), value):
            return "user"
        if self._session.touched and (name := _name(self._session.items(), value)):
            return f"session:{name}"
        if name := _name(self._http.cookies.items(), value):
            return f"cookie:{name}"
        name = _name(self._http.query_params.items(), value)
        return f"query:{name}" if name else None


def _name(items: Iterable[tuple[str, object]], value: object) -> str | None:
    return next((name for name, found in items if found is value), None)
