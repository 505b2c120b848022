"""The answer to a request for a static file, before any framework: status, headers, body.

A `Resource` is one file in its variants (identity, br, gzip). `respond` chooses among them
and works out RFC 9110: methods, conditionals, ranges. Adapters only send the `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from asok.assets import conditional
from asok.assets.encoding import IDENTITY, LONGEST, choose
from asok.assets.files import FileParts, FileSlice
from asok.assets.multipart import multipart, part_of
from asok.assets.ranges import Unsatisfiable, wanted_ranges

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
_CONDITIONAL = _WANTED - {b"accept-encoding"}
#: Headers whose choice a file keeps, and the length of those that are: browsers send few,
#: short ones, and whoever makes them up must not fill the memory of every file.
_MOST_CHOSEN = 8
_LONGEST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send. `headers` have lower-case names; `body` is empty for HEAD, 204 and 304."""

    status: int
    headers: tuple[Header, ...]
    body: bytes | FileSlice | FileParts = b""

    def read(self) -> bytes:
        """Return the bytes of the body. Raises `OSError` where a file went away."""
        return self.body if isinstance(self.body, bytes) else self.body.read()


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

    It is asked for again each time: kept over a rollback, it would lead to a token that this
    instance then takes for a later one.
    """
    return Plan(
        301,
        (
            (b"location", location.encode("ascii")),
            (b"cache-control", b"max-age=0, must-revalidate"),
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
    _chosen: dict[bytes, Variant] = field(
        default_factory=dict[bytes, Variant], init=False, compare=False
    )
    _ready: dict[bytes | None, Plan] = field(
        default_factory=dict[bytes | None, Plan], init=False, compare=False
    )

    def __post_init__(self) -> None:
        sizes = tuple((variant.coding, variant.size) for variant in self.variants)
        object.__setattr__(self, "_sizes", sizes)

    def ready(self, headers: Mapping[bytes, bytes]) -> Plan | None:
        """Return the 200 that a GET was answered with before, None where it is to be worked out.

        Its body is in memory. `headers` are the request's, each of which is there once.
        """
        if not _CONDITIONAL.isdisjoint(headers):
            return None
        accepted = headers.get(b"accept-encoding") if len(self.variants) > 1 else None
        return self._ready.get(accepted)

    def select(self, accepted: bytes | None) -> Variant:
        """Return the variant for the value of an Accept-Encoding header."""
        if not accepted or len(self.variants) == 1:
            return self.variants[0]
        chosen = self._chosen.get(accepted)
        if chosen is None:
            coding = choose(accepted[: LONGEST + 1].decode("latin-1"), self._sizes)
            chosen = next(v for v in self.variants if v.coding == coding)
            if len(accepted) <= _LONGEST_KEPT:
                if len(self._chosen) >= _MOST_CHOSEN:
                    for made_up in [*self._chosen]:
                        self._ready.pop(made_up, None)
                    self._chosen.clear()
                self._chosen[accepted] = chosen
                if isinstance(chosen.body, bytes):
                    self._ready[accepted] = self.whole(chosen)
        return chosen

    def whole(self, variant: Variant) -> Plan:
        """Return the 200 of `variant`, made once."""
        plan = self._whole.get(variant.coding)
        if plan is None:
            length = (b"content-length", str(variant.size).encode())
            headers = (*self._content(variant), length, *self._validators(variant))
            plan = self._whole[variant.coding] = Plan(200, headers, variant.body)
            if variant.coding == IDENTITY and isinstance(variant.body, bytes):
                self._ready[None] = plan
        return plan

    def part(self, variant: Variant, start: int, length: int) -> Plan:
        """Return the 206 of `length` bytes of `variant` from `start`."""
        headers = (
            *self._content(variant),
            (b"content-length", str(length).encode()),
            (b"content-range", f"bytes {start}-{start + length - 1}/{variant.size}".encode()),
            *self._validators(variant),
        )
        return Plan(206, headers, part_of(variant.body, start, length))

    def parts(self, variant: Variant, slices: Sequence[tuple[int, int]]) -> Plan:
        """Return the 206 of several slices, as multipart/byteranges (RFC 9110, section 14.6)."""
        media, body = multipart(variant.body, variant.size, self.media, slices)
        length = len(body) if isinstance(body, bytes) else body.length
        headers = (
            *self._content(variant, media),
            (b"content-length", str(length).encode()),
            *self._validators(variant),
        )
        return Plan(206, headers, body)

    def unchanged(self, variant: Variant) -> Plan:
        """Return the 304 of `variant`, with the headers that RFC 9110, section 15.4.5 asks for."""
        return Plan(304, self._validators(variant))

    def unsatisfiable(self, variant: Variant) -> Plan:
        """Return the 416 of `variant`."""
        whole = (b"content-range", f"bytes */{variant.size}".encode())
        return _message(416, b"Range Not Satisfiable\n", whole)

    def _content(self, variant: Variant, media: str = "") -> tuple[Header, ...]:
        headers = [
            (b"content-type", (media or self.media).encode("latin-1")),
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
    asked: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _WANTED:
            # A list may come in several lines (RFC 9110, section 5.3).
            asked[name] = b"%b, %b" % (asked[name], value) if name in asked else value
    variant = resource.select(asked.pop(b"accept-encoding", None))
    if not asked:
        return resource.whole(variant)
    return _conditional(
        resource, variant, method, {name: value.decode("latin-1") for name, value in asked.items()}
    )


def _conditional(
    resource: Resource, variant: Variant, method: str, asked: Mapping[bytes, str]
) -> Plan:
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
    found = wanted_ranges(wanted, variant.size)
    if isinstance(found, list) and len(found) > 1 and variant.coding != IDENTITY:
        # Of parts, Content-Encoding would say that it is their envelope that is compressed.
        found = None
    if found is None:
        return resource.whole(variant)
    if isinstance(found, Unsatisfiable):
        return resource.unsatisfiable(variant)
    if len(found) == 1:
        return resource.part(variant, *found[0])
    return resource.parts(variant, found)
