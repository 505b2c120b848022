"""The cookies of a site: how they are named, read and set."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["CookiePolicy", "cookie_value", "site_suffix"]

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


def site_suffix(base_path: str) -> str:
    """Return what the names of a site's cookies end with, below the path `base_path`.

    A `__Host-` cookie belongs to the whole host (its Path is "/" by definition), so two
    sites below different paths of one host tell theirs apart by name.
    """
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", base_path.strip("/"))
    return f".{words}" if words else ""


class CookiePolicy:
    """How the session cookie is named and set: `__Host-` (and Secure) wherever https is used."""

    def __init__(
        self, *, samesite: str = "lax", max_age: int = COOKIE_AGE, suffix: str = ""
    ) -> None:
        self._rest = f"Path=/; Max-Age={max_age}; HttpOnly; SameSite={samesite.capitalize()}"
        self._names = {
            False: f"asok{suffix}".encode("ascii"),
            True: f"__Host-asok{suffix}".encode("ascii"),
        }

    def name(self, secure: bool) -> bytes:
        """The cookie's name, for https or for plain http."""
        return self._names[secure]

    def header(self, session_id: str, secure: bool) -> tuple[bytes, bytes]:
        """Return the Set-Cookie header for an id."""
        text = f"{self.name(secure).decode()}={session_id}; {self._rest}"
        return b"set-cookie", (text + "; Secure" if secure else text).encode("ascii")
