"""The Content-Security-Policy and its companions, as header values.

Only scripts and styles that carry this response's nonce, or that are files of the site,
run (CSP Level 3). `Policy` keeps the text in two halves so that a stored page's header is
one concatenation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

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

#: What fetches files of the site; workers and frames have to be of the page's own origin.
_FETCHING = (
    "script-src",
    "style-src",
    "img-src",
    "font-src",
    "connect-src",
    "media-src",
    "manifest-src",
)
_NONCED = ("script-src", "style-src")


def new_nonce() -> str:
    """Return a nonce of 128 random bits (22 base64url characters)."""
    return NONCES.take().decode("ascii")


class Policy:
    """One policy, with or without a nonce.

    `directives` replace or add to the defaults, by name; an empty value removes one. `files`
    is the URL that the site's own files are fetched from, where that is another origin: what
    may come from the site may come from there; with `sockets` WebSockets go there too. Raises
    `ConfigurationError` for a value that would end the header or the directive.
    """

    def __init__(
        self,
        directives: Mapping[str, str] | None = None,
        *,
        files: str = "",
        sockets: bool = False,
    ) -> None:
        merged = {**DEFAULT_DIRECTIVES, **(directives or {})}
        if files:
            merged = _with_files(merged, files, sockets=sockets)
        for name, value in merged.items():
            if any(mark in name + value for mark in ";,\r\n\0"):
                raise ConfigurationError(
                    f"the CSP directive {name!r} has the value {value!r}, "
                    "which holds a separator or a line break.",
                    fix="Give one directive an entry, without ';' or ','.",
                )
        merged = self._directives = {name: value for name, value in merged.items() if value}
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

    def hashed(self, scripts: Sequence[str], styles: Sequence[str]) -> str:
        """Return the value for a page whose inline elements have these hashes.

        They are the base64 SHA-256 of the elements' texts (CSP Level 3, 2.3.1).
        """
        hashes = {"script-src": scripts, "style-src": styles}
        parts: list[str] = []
        for name, value in self._directives.items():
            own = [f"'sha256-{one}'" for one in hashes.get(name, ())]
            # 'none' stands alone or is ignored, with a warning (CSP Level 3, 6.7.2.4).
            parts.append(" ".join([name, *([] if own and value == "'none'" else [value]), *own]))
        return "; ".join(parts)

    def allows(self, directive: str, url: str) -> bool:
        """Whether `directive` names the origin of an absolute `url` (CSP Level 3, 6.7.2.8).

        It is asked for early and clear errors: the browser decides.
        """
        if url.startswith("//"):
            url = f"https:{url}"
        try:
            wanted = urlsplit(url)
            sources = self._directives.get(directive) or self._directives.get("default-src", "")
            return any(_matches(source.lower(), wanted) for source in sources.split())
        except ValueError:  # no URL at all
            return False


def _with_files(directives: Mapping[str, str], files: str, *, sockets: bool) -> dict[str, str]:
    parts = urlsplit(files)
    origin = f"{parts.scheme}://{parts.netloc}"
    found = dict(directives)
    for name in _FETCHING:
        value = found.get(name, found.get("default-src", ""))
        if "'self'" in value.split() and origin not in value.split():
            found[name] = f"{value} {origin}"
            if sockets and name == "connect-src":
                found[name] += " " + origin.replace("http", "ws", 1)
    return found


def _matches(source: str, wanted: SplitResult) -> bool:
    if source == "*" or source == f"{wanted.scheme}:":
        return True
    scheme, mark, rest = source.rpartition("://")
    if mark and scheme != wanted.scheme:
        return False
    given = urlsplit(f"//{rest}")
    host, found = given.hostname or "", wanted.hostname or ""
    if host != found and not (host.startswith("*.") and found.endswith(host[1:])):
        return False
    port = wanted.port if rest.partition("/")[0].endswith(":*") else given.port
    if port != wanted.port:
        return False
    path = given.path
    return not path or (wanted.path.startswith(path) if path.endswith("/") else wanted.path == path)
