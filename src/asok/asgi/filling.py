"""Filling the holes of a stored page for one visitor, in a few microseconds.

Whoever comes again sends the same Cookie header, so what it comes down to (the number that
CSRF tokens are made of) is remembered; nonces and masks are drawn in batches.
"""

from __future__ import annotations

from asok.asgi.parts import Parts
from asok.holes import Holed
from asok.pages.prepared import Header
from asok.sessions import NONCES, masked

__all__ = ["Filler"]

_REMEMBERED = 8192
#: Bytes of a Cookie header that is worth it: one visitor must not fill the memory with others.
_LONGEST = 2048


class Filler:
    """Fills pages with the visitor's values; for the event loop's thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._values: dict[tuple[bool, bytes], int] = {}

    def fill(
        self, holed: Holed, scope: dict[str, object], common: tuple[Header, ...]
    ) -> tuple[list[Header], bytes]:
        """Return headers and body for the visitor of `scope`; `common` go before the others."""
        headers = list(common)
        nonce = csrf = b""
        kinds = holed.kinds
        if "nonce" in kinds:
            nonce = NONCES.take()
            headers.append((b"content-security-policy", self._parts.policy.filled(nonce)))
        if "csrf" in kinds:
            value = self._known(scope)
            if value is None:
                value, cookie = self._welcome(scope)
                headers.append(cookie)
            csrf = masked(value)
        body = holed.fill(nonce, csrf)
        headers.append((b"content-length", b"%d" % len(body)))
        return headers, body

    def _known(self, scope: dict[str, object]) -> int | None:
        """The number of a visitor who has a cookie of ours."""
        cookie: bytes | None = None
        given: list[Header] = scope["headers"]  # type: ignore[assignment]
        for name, text in given:
            if name == b"cookie":
                if cookie is not None:  # HTTP/2 may send several: ask the long way
                    cookie = None
                    break
                cookie = text
        secure = self._parts.secure(scope)
        if cookie is not None:
            value = self._values.get((secure, cookie))
            if value is not None:
                return value
        session_id = self._parts.session_id(scope)
        if session_id is None:
            return None
        value = self._parts.csrf.value(session_id)
        if cookie is not None and len(cookie) <= _LONGEST:
            if len(self._values) >= _REMEMBERED:
                self._values.clear()
            self._values[secure, cookie] = value
        return value

    def _welcome(self, scope: dict[str, object]) -> tuple[int, Header]:
        """A visitor's first page with a form: make an id, and set it as a cookie."""
        parts = self._parts
        session_id = parts.ids.new()
        return parts.csrf.value(session_id), parts.cookies.header(session_id, parts.secure(scope))
