"""Filling the holes of a stored page for one visitor, in a few microseconds.

Whoever comes again sends the same Cookie header, so what it comes down to (the number that
CSRF tokens are made of) is remembered; nonces and masks are drawn in batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.types import Scope

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
        self._always_secure = parts.always_secure
        #: By whether the visitor came by https, and by the Cookie header.
        self._values: dict[bool, dict[bytes | None, int]] = {False: {}, True: {}}

    def fill(
        self,
        holed: Holed,
        scope: Scope,
        fields: Mapping[bytes, bytes],
        common: Sequence[Header],
    ) -> tuple[list[Header], bytes]:
        """Return headers and body for the visitor of `scope`; `common` go before the others.

        `fields` are the request's headers, none of which may be there twice.
        """
        headers = [*common]
        nonce = csrf = b""
        kinds = holed.kinds
        if "nonce" in kinds:
            nonce = NONCES.take()
            headers.append((b"content-security-policy", self._parts.policy.filled(nonce)))
        if "csrf" in kinds:
            cookie = fields.get(b"cookie")
            secure = self._always_secure or scope.get("scheme") == "https"
            value = self._values[secure].get(cookie)
            if value is None:
                value = self._recognised(scope, secure, cookie)
                if value is None:
                    value, made = self._welcome(scope)
                    headers.append(made)
            csrf = masked(value)
        return headers, holed.fill(nonce, csrf)

    def _recognised(self, scope: Scope, secure: bool, cookie: bytes | None) -> int | None:
        """The number of a visitor who has a cookie of ours, remembered from now on."""
        session_id = self._parts.session_id(scope)
        if session_id is None:
            return None
        value = self._parts.csrf.value(session_id)
        if cookie is not None and len(cookie) <= _LONGEST:
            known = self._values[secure]
            if len(known) >= _REMEMBERED:
                known.clear()
            known[cookie] = value
        return value

    def _welcome(self, scope: Scope) -> tuple[int, Header]:
        """A visitor's first page with a form: make an id, and set it as a cookie."""
        parts = self._parts
        session_id = parts.ids.new()
        return parts.csrf.value(session_id), parts.cookies.header(session_id, parts.secure(scope))
