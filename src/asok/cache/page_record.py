"""One page as it is kept in a cache: status, headers, bytes with holes, and what it depends on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, cast

from asok.holes import Holed

__all__ = ["CachedPage"]

#: Raised when the stored form changes, so that older pages are not read.
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPage:
    """A stored answer. `stored_at` is seconds since 1970 (for `Age`).

    `reads` are the query parameters that the handler looked for while it made the page,
    present or not; None where nobody watched, which counts as all of them.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Holed
    stored_at: float
    reads: tuple[str, ...] | None = None

    def answers(self, extra: Collection[str]) -> bool:
        """Whether it is the page also for a request with these undeclared parameters.

        A handler that did not look for any of them took the same way as it would take now.
        """
        return not extra or (self.reads is not None and not set(extra).intersection(self.reads))

    def encode(self) -> tuple[Any, ...]:
        """A value for any cache: a tuple of what can't be changed, so memory needs no copy."""
        holes = tuple((offset, kind) for offset, kind in self.body.offsets)
        body = self.body.body
        return (_FORMAT, self.status, self.headers, body, holes, self.stored_at, self.reads)

    @classmethod
    def decode(cls, value: object) -> CachedPage | None:
        """The inverse of `encode`, or None for anything else."""
        try:
            form, status, headers, body, holes, stored_at, reads = cast("tuple[Any, ...]", value)
            if form != _FORMAT or not isinstance(body, bytes):
                return None
            return cls(
                status=int(status),
                headers=tuple((str(name), str(text)) for name, text in headers),
                body=Holed.from_offsets(body, [(int(at), kind) for at, kind in holes]),
                stored_at=float(stored_at),
                reads=None if reads is None else tuple(map(str, reads)),
            )
        except (TypeError, ValueError):
            return None
