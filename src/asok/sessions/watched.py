"""A session that tells of what its author forgot to say; for development."""

from __future__ import annotations

import logging
from typing import Any

from asok.errors import SessionError
from asok.sessions.session import Session, encode_value

__all__ = ["WatchedSession"]

log = logging.getLogger("asok.sessions")


class WatchedSession(Session):
    """Warns, once for each key, of values that were changed inside without `modified = True`.

    They look right until the session is read from its store again, and then they are gone.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._modified = False
        self._told: set[str] = set()
        super().__init__(*args, **options)

    @property
    def modified(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether it is to be saved; asked when a request or a call is over."""
        if not self._modified:
            self._tell()
        return self._modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self._modified = value

    def _tell(self) -> None:
        for key, value in (self._data or {}).items():
            if key not in self._told and self._loaded.get(key) != _shown(key, value):
                self._told.add(key)
                log.warning(
                    "session[%r] was changed inside, which is not saved: "
                    "write session.modified = True after it",
                    key,
                )


def _shown(key: str, value: Any) -> str:
    try:
        return encode_value(key, value)
    except SessionError:
        return ""  # changed to what can't even be saved
