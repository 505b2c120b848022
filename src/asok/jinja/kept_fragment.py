"""One fragment as it is kept: its text with holes, the tags it carries, and when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, cast

from asok.holes import Holed

__all__ = ["Fragment"]

#: Raised when the stored form changes, so that older fragments are not read.
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What the body of a `{% cache %}` became.

    `tags` are its own and those of the fragments in it, each with the token that it had; `until`
    is when it or the first of them ends (seconds since 1970).
    """

    text: Holed
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    until: float = inf

    def encode(self) -> tuple[Any, ...]:
        """A value for any cache: a tuple of what can't be changed, so memory needs no copy."""
        holes = tuple((at, kind) for at, kind in self.text.offsets)
        until = None if self.until == inf else self.until
        return (_FORMAT, self.text.body, holes, tuple(self.tags.items()), until)

    @classmethod
    def decode(cls, value: object) -> Fragment | None:
        """The inverse of `encode`, or None for anything else."""
        try:
            form, body, holes, tags, until = cast("tuple[Any, ...]", value)
            if form != _FORMAT or not isinstance(body, bytes):
                return None
            body.decode()
            return cls(
                text=Holed.from_offsets(body, [(int(at), kind) for at, kind in holes]),
                tags={str(name): str(token) for name, token in tags},
                until=inf if until is None else float(until),
            )
        except (TypeError, ValueError):
            return None
