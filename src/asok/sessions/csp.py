"""The Content-Security-Policy and its companions, as header values.

Only scripts and styles that carry this response's nonce, or that are files of the site,
run (CSP Level 3). `Policy` keeps the text in two halves so that a stored page's header is
one concatenation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asok.errors import ConfigurationError
from asok.sessions.randomness import NONCES

__all__ = ["SECURITY_HEADERS", "Policy", "new_nonce"]

DEFAULT_DIRECTIVES: Final[Mapping[str, str]] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}

#: Sent with every response. Sources: OWASP Secure Headers, Fetch and HTML standards.
SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
)

_NONCED = ("script-src", "style-src")


def new_nonce() -> str:
    """Return a nonce of 128 random bits (22 base64url characters)."""
    return NONCES.take().decode("ascii")


class Policy:
    """One policy, with or without a nonce.

    `directives` replace or add to the defaults, by name; an empty value removes one.
    Raises `ConfigurationError` for a value that would end the header or the directive.
    """

    def __init__(self, directives: Mapping[str, str] | None = None) -> None:
        merged = {**DEFAULT_DIRECTIVES, **(directives or {})}
        for name, value in merged.items():
            if any(mark in name + value for mark in ";,\r\n\0"):
                raise ConfigurationError(
                    f"the CSP directive {name!r} has the value {value!r}, "
                    "which holds a separator or a line break.",
                    fix="Give one directive an entry, without ';' or ','.",
                )
        merged = {name: value for name, value in merged.items() if value}
        self.plain = "; ".join(f"{name} {value}" for name, value in merged.items())
        self._parts = "; ".join(
            f"{name} {value} 'nonce-\0'" if name in _NONCED else f"{name} {value}"
            for name, value in merged.items()
        ).split("\0")
        self._bytes = [part.encode("latin-1") for part in self._parts]

    def header(self, nonce: str | None = None) -> str:
        """Return the header's value, allowing `nonce` where one is given."""
        return self.plain if nonce is None else nonce.join(self._parts)

    def filled(self, nonce: bytes) -> bytes:
        """`header` as bytes, for the path of a stored page."""
        return nonce.join(self._bytes)
