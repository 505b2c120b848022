"""The visitor behind a request: the cookie, the session it names, and the CSRF binding.

One cookie holds a random id. Until a session is written the id names nothing in the store,
so an anonymous visitor costs no write; CSRF tokens are bound to it all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from asok.holes import VisitorSecrets
from asok.sessions import (
    Csrf,
    Session,
    SessionIds,
    SessionStore,
    new_nonce,
)

__all__ = ["CookiePolicy", "Visitor", "cookie_value"]

#: A browser keeps the cookie this long (seconds); the store decides when a session ends.
COOKIE_AGE = 30 * 86_400


def cookie_value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """Return the value of the cookie `name`, or None (RFC 6265, 5.4).

    A nameless cookie (`=name=value`) is not mistaken for a named one.
    """
    for key, value in headers:
        if key == b"cookie":
            for part in value.split(b";"):
                left, mark, right = part.strip().partition(b"=")
                if mark and left == name:
                    return right.decode("latin-1")
    return None


class CookiePolicy:
    """How the session cookie is named and set: `__Host-` (and Secure) wherever https is used."""

    def __init__(self, *, samesite: str = "lax", max_age: int = COOKIE_AGE) -> None:
        self._rest = f"Path=/; Max-Age={max_age}; HttpOnly; SameSite={samesite.capitalize()}"

    @staticmethod
    def name(secure: bool) -> bytes:
        return b"__Host-asok" if secure else b"asok"

    def header(self, session_id: str, secure: bool) -> tuple[bytes, bytes]:
        """Return the Set-Cookie header for an id."""
        text = f"{self.name(secure).decode()}={session_id}; {self._rest}"
        return b"set-cookie", (text + "; Secure" if secure else text).encode("ascii")


class Visitor:
    """What one request knows of who sent it; everything is looked up when first needed."""

    def __init__(
        self,
        session_id: str | None,
        *,
        store: SessionStore,
        ids: SessionIds,
        csrf: Csrf,
        revoked: Callable[[str], None] | None = None,
    ) -> None:
        self.session = Session(store, session_id, new_id=ids.new, revoked=revoked)
        self._ids = ids
        self._csrf = csrf
        self.secrets = VisitorSecrets(new_nonce, lambda: self.csrf_token)

    @property
    def csrf_token(self) -> str:
        """This visitor's token; asking for it mints an id for a visitor without one."""
        if self.session.id is None:
            self.session.id = self._ids.new()
        return self._csrf.token(self.session.id)

    def valid(self, token: str) -> bool:
        """Whether `token` was made for this visitor's session."""
        return self.session.id is not None and self._csrf.valid(token, self.session.id)

    def finish(self) -> str | None:
        """Save the session; return the id to set as a cookie, or None where none is due."""
        return self.session.id if self.session.save() else None

    @property
    def cookie_due(self) -> str | None:
        """The id to set as a cookie where nothing could be saved: that of the shown tokens."""
        return self.session.id if self.session.is_new else None
