"""A stored page as a server sends it: every header and body that can be made at store time is.

A page without holes and guards is public: it has an ETag, compressed variants, and tells
shared caches how long it stays fresh. One with holes is each visitor's own: `private,
no-cache` without validators, because a browser that gets a 304 may apply the new policy to
the old body. It is not `no-store`, which would switch off the back-forward cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from asok.pages.decision import decide
from asok.pages.encoding import choose_coding, is_compressible
from asok.pages.stored import StoredPage, digest

__all__ = ["Encoder", "Header", "Prepared", "cache_status", "prepare"]

Header = tuple[bytes, bytes]
Encoder = Callable[[bytes], bytes]
Cache = Literal["HIT", "STALE", "MISS"]

#: Smaller bodies fit one packet anyway.
_WORTH_COMPRESSING: Final = 600
#: How many values of `Accept-Encoding` are remembered for one page.
_REMEMBERED: Final = 32
#: Headers that are computed here, whatever the page's handler said.
_OWN: Final = frozenset(
    {"cache-control", "cache-status", "content-encoding", "content-length", "etag", "vary"}
)


class Prepared:
    """What `prepare` makes of a page. Safe to share between threads.

    `status` and `page` are the stored ones; `public` says whether everybody may have the
    same bytes; `bodies` are the finished bodies by content coding ("" is the plain one),
    empty where there are holes to fill (`page.holed`).
    """

    __slots__ = (
        "_codings",
        "_control",
        "_etag",
        "_fixed",
        "_memo",
        "bodies",
        "page",
        "public",
        "status",
    )

    def __init__(
        self,
        page: StoredPage,
        *,
        public: bool,
        bodies: Mapping[str, bytes],
        fixed: Sequence[Header],
        control: Callable[[float], str],
        etag: str,
    ) -> None:
        self.page = page
        self.public = public
        self.status = page.status
        self.bodies = bodies
        self._fixed = tuple(fixed)
        self._control = control
        self._etag = etag
        self._memo: dict[tuple[str, str, bool], tuple[float, float, tuple[Header, ...]]] = {}
        self._codings: dict[bytes | None, str] = {None: ""}

    @property
    def size(self) -> int:
        """Bytes of memory that its bodies take beside the page's own."""
        return sum(len(body) for coding, body in self.bodies.items() if coding)

    def etag(self, coding: str = "") -> str | None:
        """The validator of one variant (RFC 9110, 8.8.3), or None for a page with holes."""
        if not self.public:
            return None
        return f'"{self._etag}-{coding}"' if coding else f'"{self._etag}"'

    def headers(
        self, cache: Cache = "HIT", *, now: float, coding: str = "", modified: bool = True
    ) -> tuple[Header, ...]:
        """Return the response's headers, lower-case names.

        They are whole, but for the policy with its nonce where there is a hole for one. With
        `modified` False they are those of a 304. Ages are in whole seconds, so the same tuple
        is returned for a second.
        """
        key = (cache, coding, modified)
        memo = self._memo.get(key)
        if memo is not None and memo[0] <= now < memo[1]:
            return memo[2]
        made = tuple(self._make(cache, now, coding, modified))
        second = math.floor(now)
        self._memo[key] = (second, second + 1, made)
        return made

    def coding(self, accept_encoding: bytes | None) -> str:
        """Return which of `bodies` to send for a request's `Accept-Encoding` (RFC 9110, 12.5.3)."""
        known = self._codings.get(accept_encoding)
        if known is not None:
            return known
        assert accept_encoding is not None
        chosen = choose_coding(accept_encoding.decode("latin-1"), self.bodies)
        if len(self._codings) < _REMEMBERED and len(accept_encoding) <= 256:
            self._codings[accept_encoding] = chosen
        return chosen

    def _make(self, cache: Cache, now: float, coding: str, modified: bool) -> Iterable[Header]:
        for name, value in self._fixed:
            if modified or not name.startswith(b"content-") or name.startswith(b"content-security"):
                yield name, value
        decision = decide(self.page, now)
        # A page served as stale for other reasons than its age has nothing left either.
        left = decision.left
        if cache == "STALE":
            left = min(left, 0.0) if left is not None else 0.0
        yield b"cache-control", self._control(math.inf if left is None else left).encode()
        yield b"cache-status", cache_status(cache, left).encode()
        yield b"x-asok-ssg-cache", cache.encode()
        etag = self.etag(coding)
        if etag is not None:
            yield b"etag", etag.encode()
        if modified:
            if coding:
                yield b"content-encoding", coding.encode()
            body = self.bodies.get(coding)
            length = len(body) if body is not None else self.page.holed.filled_size
            yield b"content-length", str(length).encode()


def cache_status(cache: Cache, left: float | None = None, *, stored: bool = True) -> str:
    """Return the value of `Cache-Status` (RFC 9211); `left` is how long it stays fresh."""
    if cache == "MISS":
        return "asok; fwd=miss; stored" if stored else "asok; fwd=miss"
    ttl = "" if left is None else f"; ttl={math.floor(left)}"
    return f"asok; hit{ttl}; detail=stale" if cache == "STALE" else f"asok; hit{ttl}"


def prepare(
    page: StoredPage,
    *,
    headers: Sequence[tuple[str, str]] = (),
    guarded: bool = False,
    encoders: Mapping[str, Encoder] | None = None,
) -> Prepared:
    """Compute what serving `page` needs.

    `headers` are the site's (security) headers; the page's own win over them. `guarded` is
    for a route with guards or middleware: its answers are never kept anywhere. `encoders`
    are compressors by content coding ("br", "gzip"), used for pages without holes.
    """
    holes = bool(page.holed.kinds)
    public = not holes and not guarded
    merged = [(name.lower(), value) for name, value in headers]
    own = {name for name, _ in page.headers}
    merged = [pair for pair in merged if pair[0] not in own] + list(page.headers)
    asked = ", ".join(value for name, value in merged if name == "cache-control")
    vary = [part.strip() for name, value in merged if name == "vary" for part in value.split(",")]
    fixed = [(name, value) for name, value in merged if name not in _OWN]
    if "content-type" not in {name for name, _ in fixed}:
        fixed.insert(0, ("content-type", page.content_type))
    bodies: dict[str, bytes] = {}
    if not holes:
        plain = bodies[""] = page.holed.slices[0]
        if is_compressible(page.content_type) and len(plain) >= _WORTH_COMPRESSING:
            for coding, encode in (encoders or {}).items():
                packed = encode(plain)
                if len(packed) < len(plain):
                    bodies[coding] = packed
    if len(bodies) > 1:
        vary.append("Accept-Encoding")
    names = {part.lower(): part for part in vary if part}
    if names:
        fixed.append(("vary", ", ".join(names.values())))
    # A change of the policy is a change of what the browser keeps: it is part of the tag.
    told = "\n".join(f"{name}: {value}" for name, value in fixed)
    etag = digest(page.holed.body + b"\0" + told.encode())[:24]
    return Prepared(
        page,
        public=public,
        bodies=bodies,
        fixed=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in fixed],
        control=_control(page, asked=asked, holes=holes, guarded=guarded),
        etag=etag,
    )


def _control(page: StoredPage, *, asked: str, holes: bool, guarded: bool) -> Callable[[float], str]:
    """Return the function from the seconds left to the value of `Cache-Control`."""
    if guarded or (holes and "no-store" in asked):
        return lambda left: "private, no-store"
    if holes:
        return lambda left: "private, no-cache"
    if asked:
        return lambda left: asked
    if page.revalidate is None:
        # Nobody tells a shared cache of the next build: it asks each time, and gets a 304.
        return lambda left: "public, max-age=0, must-revalidate"
    keep = page.expire - page.revalidate if page.expire is not None else page.revalidate
    stale = max(int(keep), 1)

    def control(left: float) -> str:
        # What is left, not all of it: caches one behind the other would add up their ages.
        shared = 1 if left < 1 else int(min(left, page.revalidate or left))
        return f"public, max-age=0, s-maxage={shared}, stale-while-revalidate={stale}"

    return control
