"""The answer to a request for a static file, before any framework: status, headers, body.

A `Resource` is one file in its variants (identity, br, gzip). `respond` chooses among them
and works out RFC 9110: methods, conditionals, ranges. Adapters only send the `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from asok.assets import conditional
from asok.assets.encoding import IDENTITY, LONGEST, choose
from asok.assets.files import FileSlice
from asok.assets.ranges import Unsatisfiable, single_range

__all__ = ["NOT_FOUND", "PREMATURE", "Header", "Plan", "Resource", "Variant", "moved", "respond"]

Header = tuple[bytes, bytes]

_ALLOWED = (b"allow", b"GET, HEAD, OPTIONS")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_WANTED = frozenset(
    {
        b"accept-encoding",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
    }
)
_MOST_CHOSEN = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send. `headers` have lower-case names; `body` is empty for HEAD, 204 and 304."""

    status: int
    headers: tuple[Header, ...]
    body: bytes | FileSlice = b""


def _message(status: int, text: bytes, *headers: Header) -> Plan:
    length = (b"content-length", str(len(text)).encode())
    return Plan(status, (_TEXT, length, *headers), text)


#: The one 404: an absent file, a forbidden name and a link out of the root look alike.
NOT_FOUND = _message(404, b"Not Found\n", (b"cache-control", b"no-store"))
#: The one 503: the file is of a release that has yet to be deployed here.
PREMATURE = _message(
    503,
    b"This release is not deployed here yet\n",
    (b"retry-after", b"3"),
    (b"cache-control", b"no-store"),
)
_NOT_ALLOWED = _message(405, b"Method Not Allowed\n", _ALLOWED)
_OPTIONS = Plan(204, (_ALLOWED,))


def moved(location: str) -> Plan:
    """Return the 301 to `location`, an absolute path of this site with its query.

    A short age: after a rollback the same token may be the current one again.
    """
    return Plan(
        301,
        (
            (b"location", location.encode("ascii")),
            (b"cache-control", b"public, max-age=60"),
            (b"content-length", b"0"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Variant:
    """One encoding of a file: its coding, its own strong entity tag (quoted), its bytes."""

    coding: str
    etag: str
    size: int
    body: bytes | FileSlice


@dataclass(frozen=True, slots=True)
class Resource:
    """One file: media type, variants (identity first), caching, and the date if it has one.

    `modified` is in seconds since the epoch. `extra` goes on every 200, 206 and 304.
    """

    media: str
    variants: tuple[Variant, ...]
    cache_control: str | None
    modified: int | None = None
    extra: tuple[Header, ...] = ()
    _sizes: tuple[tuple[str, int], ...] = field(default=(), init=False, compare=False)
    _whole: dict[str, Plan] = field(default_factory=dict[str, Plan], init=False, compare=False)
    #: By Accept-Encoding: browsers send few different ones.
    _chosen: dict[str, Variant] = field(
        default_factory=dict[str, Variant], init=False, compare=False
    )

    def __post_init__(self) -> None:
        sizes = tuple((variant.coding, variant.size) for variant in self.variants)
        object.__setattr__(self, "_sizes", sizes)

    def select(self, accept_encoding: str | None) -> Variant:
        """Return the variant for an Accept-Encoding header."""
        if not accept_encoding or len(self.variants) == 1:
            return self.variants[0]
        chosen = self._chosen.get(accept_encoding)
        if chosen is None:
            coding = choose(accept_encoding[:LONGEST], self._sizes)
            chosen = next(v for v in self.variants if v.coding == coding)
            if len(self._chosen) < _MOST_CHOSEN and len(accept_encoding) <= LONGEST:
                self._chosen[accept_encoding] = chosen
        return chosen

    def whole(self, variant: Variant) -> Plan:
        """Return the 200 of `variant`, made once."""
        plan = self._whole.get(variant.coding)
        if plan is None:
            length = (b"content-length", str(variant.size).encode())
            headers = (*self._content(variant), length, *self._validators(variant))
            plan = self._whole[variant.coding] = Plan(200, headers, variant.body)
        return plan

    def part(self, variant: Variant, start: int, length: int) -> Plan:
        """Return the 206 of `length` bytes of `variant` from `start`."""
        headers = (
            *self._content(variant),
            (b"content-length", str(length).encode()),
            (b"content-range", f"bytes {start}-{start + length - 1}/{variant.size}".encode()),
            *self._validators(variant),
        )
        body = variant.body
        if isinstance(body, FileSlice):
            return Plan(206, headers, body.part(start, length))
        return Plan(206, headers, body[start : start + length])

    def unchanged(self, variant: Variant) -> Plan:
        """Return the 304 of `variant`, with the headers that RFC 9110, section 15.4.5 asks for."""
        return Plan(304, self._validators(variant))

    def unsatisfiable(self, variant: Variant) -> Plan:
        """Return the 416 of `variant`."""
        whole = (b"content-range", f"bytes */{variant.size}".encode())
        return _message(416, b"Range Not Satisfiable\n", whole)

    def _content(self, variant: Variant) -> tuple[Header, ...]:
        headers = [
            (b"content-type", self.media.encode("latin-1")),
            (b"x-content-type-options", b"nosniff"),
            (b"accept-ranges", b"bytes"),
        ]
        if variant.coding != IDENTITY:
            headers.append((b"content-encoding", variant.coding.encode()))
        return tuple(headers)

    def _validators(self, variant: Variant) -> tuple[Header, ...]:
        headers = [(b"etag", variant.etag.encode("latin-1"))]
        if self.cache_control is not None:
            headers.append((b"cache-control", self.cache_control.encode("latin-1")))
        if len(self.variants) > 1:
            # Also on identity: a cache must not hand it to those who could take less.
            headers.append((b"vary", b"Accept-Encoding"))
        if self.modified is not None:
            headers.append((b"last-modified", conditional.http_date(self.modified).encode()))
        return (*headers, *self.extra)


def respond(resource: Resource | Plan | None, method: str, headers: Iterable[Header]) -> Plan:
    """Plan the answer to `method` for `resource`; None is a file that isn't there.

    A `Plan` is the answer to any GET, whatever its headers are.

    `headers` are the request's, names in lower case, as ASGI gives them. The method is
    judged first, so that its answer tells nothing about which files exist.
    """
    if method not in {"GET", "HEAD"}:
        return _OPTIONS if method == "OPTIONS" else _NOT_ALLOWED
    if isinstance(resource, Resource):
        plan = _get(resource, method, headers)
    else:
        plan = resource or NOT_FOUND
    return plan if method == "GET" else Plan(plan.status, plan.headers)


def _get(resource: Resource, method: str, headers: Iterable[Header]) -> Plan:
    asked: dict[bytes, str] = {}
    for name, raw in headers:
        if name in _WANTED:
            value = raw.decode("latin-1")
            # A list may come in several lines (RFC 9110, section 5.3).
            asked[name] = f"{asked[name]}, {value}" if name in asked else value
    variant = resource.select(asked.pop(b"accept-encoding", None))
    if not asked:
        return resource.whole(variant)
    status = conditional.precondition(asked, variant.etag, resource.modified)
    if status == 304:
        return resource.unchanged(variant)
    if status == 412:
        return _message(412, b"Precondition Failed\n")
    wanted = asked.get(b"range")
    if wanted is None or method != "GET":  # Range has a meaning for GET alone
        return resource.whole(variant)
    held = asked.get(b"if-range")
    if held is not None and not conditional.if_range_holds(held, variant.etag, resource.modified):
        return resource.whole(variant)
    found = single_range(wanted, variant.size)
    if found is None:
        return resource.whole(variant)
    if isinstance(found, Unsatisfiable):
        return resource.unsatisfiable(variant)
    return resource.part(variant, *found)
