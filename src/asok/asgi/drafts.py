"""Draft mode: a signed cookie with which an editor sees pages that are not published yet.

It passes by every store: such an answer is made for this visitor alone and kept nowhere.
The cookie ends with the browser's session, and after `max_age` in any case.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Final

from asok.asgi.cookies import cookie_value
from asok.errors import SignatureError
from asok.signing import Keys

__all__ = ["MARK", "Draft", "Drafts"]

#: What the name of the cookie holds, whatever else it holds: looked for before all else.
MARK: Final = b"asok-draft"
#: Seconds: a working day.
MAX_AGE: Final = 8 * 3600


class Draft:
    """Whether one visitor is in draft mode, and what a handler changed about that."""

    def __init__(self, read: Callable[[], bool] = bool) -> None:
        self._read = read
        self._active: bool | None = None
        self.changed = False

    @property
    def active(self) -> bool:
        """Whether the visitor is in draft mode; looked up when first asked."""
        if self._active is None:
            self._active = self._read()
        return self._active

    def turn(self, on: bool) -> None:
        """Begin or end draft mode for this visitor."""
        self._active, self.changed = on, True


class Drafts:
    """Makes and checks the cookie. `suffix` tells sites apart that share a host."""

    def __init__(
        self, keys: Keys, *, samesite: str = "lax", suffix: str = "", max_age: int = MAX_AGE
    ) -> None:
        self._signer = keys.purpose("draft")
        self._suffix = suffix.encode("ascii")
        self._rest = f"Path=/; HttpOnly; SameSite={samesite.capitalize()}"
        self.max_age = max_age

    def name(self, secure: bool) -> bytes:
        """The cookie's name: `__Host-` wherever https is used."""
        return (b"__Host-" if secure else b"") + MARK + self._suffix

    def of(self, headers: Iterable[tuple[bytes, bytes]], secure: bool) -> Draft:
        """Return the draft mode of whoever sent `headers`."""
        return Draft(lambda: self._valid(cookie_value(headers, self.name(secure))))

    def _valid(self, value: str | None) -> bool:
        if value is None:
            return False
        try:
            self._signer.unsign(value, max_age=self.max_age)
        except SignatureError:
            return False
        return True

    def header(self, on: bool, secure: bool) -> tuple[bytes, bytes]:
        """Return the Set-Cookie header that begins draft mode, or ends it."""
        value = self._signer.sign(secrets.token_bytes(16)) if on else ""
        text = f"{self.name(secure).decode()}={value}; {self._rest}"
        if not on:
            text += "; Max-Age=0"
        return b"set-cookie", (text + "; Secure" if secure else text).encode("ascii")
