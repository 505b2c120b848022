"""A rendered page, and a stored one: status, headers and bytes with holes, and when it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from asok.holes import Holed, Kind

__all__ = ["Record", "Rendered", "StoredPage", "decode", "encode", "why_not_stored"]

#: Raise it when the meaning of a record changes: older records count as missing.
FORMAT: Final = 1

#: What a shared page may answer with. 302, 303 and 307 are decisions about one request.
_STORABLE: Final = frozenset({200, 203, 301, 308})


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a page's handler answered, for everybody: no visitor's value is in it."""

    status: int
    headers: list[tuple[str, str]]
    holed: Holed
    tags: tuple[str, ...] = ()


def why_not_stored(rendered: Rendered) -> str | None:
    """Say why `rendered` may not be stored, or None where it may."""
    if rendered.status not in _STORABLE:
        return f"status {rendered.status} is not stored (only 200, 203, 301 and 308 are)"
    for name, value in rendered.headers:
        if name.lower() == "set-cookie":
            return "the response sets a cookie, which belongs to one visitor"
        if name.lower() == "vary" and "*" in value:
            return "the response says Vary: *, so it fits one request only"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class StoredPage:
    """One page as it is stored. Two of them are compared by identity, which is cheap.

    `path` is the canonical decoded path (a page with declared query parameters adds a NUL
    and their canonical text, which no path can hold). `params` are the texts of its
    parameters. `rendered_at` is when the render began, in seconds since the epoch, and
    `moment` the same on the clock that the store invalidates tags by (where None was given,
    `rendered_at`). `revalidate` and `expire` are seconds. `listed` tells pages that a build
    lists from those made on demand.
    """

    path: str
    pattern: str
    status: int
    headers: tuple[tuple[str, str], ...]
    holed: Holed
    rendered_at: float
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    revalidate: float | None = None
    expire: float | None = None
    tags: tuple[str, ...] = ()
    listed: bool = True
    moment: float = 0.0

    def __post_init__(self) -> None:
        if not self.moment:
            object.__setattr__(self, "moment", self.rendered_at)

    @classmethod
    def make(
        cls,
        rendered: Rendered,
        *,
        path: str,
        pattern: str,
        params: Mapping[str, Any],
        rendered_at: float,
        revalidate: float | None = None,
        expire: float | None = None,
        tags: Iterable[str] = (),
        listed: bool = True,
        moment: float = 0.0,
    ) -> StoredPage:
        """Return what is to be stored of `rendered`; `why_not_stored` was asked before."""
        return cls(
            path=path,
            pattern=pattern,
            status=rendered.status,
            headers=tuple((name.lower(), value) for name, value in rendered.headers),
            holed=rendered.holed,
            rendered_at=rendered_at,
            params={name: str(value) for name, value in params.items()},
            revalidate=revalidate,
            expire=expire,
            tags=tuple(dict.fromkeys((*tags, *rendered.tags))),
            listed=listed,
            moment=moment,
        )

    @property
    def content_type(self) -> str:
        """The page's media type with its parameters; HTML where none was given."""
        found = [value for name, value in self.headers if name == "content-type"]
        return found[-1] if found else "text/html; charset=utf-8"


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored of a page beside its body: `body` names the body's file."""

    format: int
    path: str
    pattern: str
    digest: str
    body: str = ""
    status: int = 200
    headers: list[tuple[str, str]] = []
    holes: list[tuple[int, Kind]] = []
    rendered_at: float = 0.0
    params: dict[str, str] = {}
    revalidate: float | None = None
    expire: float | None = None
    tags: list[str] = []
    listed: bool = True
    moment: float = 0.0


def digest(body: bytes) -> str:
    """Return the digest that names a body and proves it whole (128 bits, hex)."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def encode(page: StoredPage, name: Callable[[str], str] = lambda _: "") -> tuple[Record, bytes]:
    """Return what is stored of `page`: its record and its body, whose file `name` names.

    It is called with the body's digest.
    """
    body = page.holed.body
    found = digest(body)
    record = Record(
        format=FORMAT,
        path=page.path,
        pattern=page.pattern,
        digest=found,
        body=name(found),
        status=page.status,
        headers=list(page.headers),
        holes=page.holed.offsets,
        rendered_at=page.rendered_at,
        params=dict(page.params),
        revalidate=page.revalidate,
        expire=page.expire,
        tags=list(page.tags),
        listed=page.listed,
        moment=0.0 if page.moment == page.rendered_at else page.moment,
    )
    return record, body


def decode(record: Record, body: bytes) -> StoredPage:
    """The inverse of `encode`. Raises `ValueError` where body and record don't belong together."""
    if record.format != FORMAT:
        raise ValueError(f"a record of format {record.format}, expected {FORMAT}")
    if digest(body) != record.digest:
        raise ValueError("the body is not the one that the record was written for")
    return StoredPage(
        path=record.path,
        pattern=record.pattern,
        status=record.status,
        headers=tuple(record.headers),
        holed=Holed.from_offsets(body, record.holes),
        rendered_at=record.rendered_at,
        params=record.params,
        revalidate=record.revalidate,
        expire=record.expire,
        tags=tuple(record.tags),
        listed=record.listed,
        moment=record.moment,
    )
