"""Which of several routes that fit a path answers it: static > typed > plain > catch-all.

The comparison is made segment by segment from the left, so `/blog/[...rest]` is asked
before `/[section]/archive`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from asok.pages.kinds import KINDS
from asok.pages.route import Route

__all__ = ["RANK", "order"]

#: Kind of segment -> rank, lower is asked first. Among the typed, the narrower type is first.
RANK: Final = {kind: rank for rank, kind in enumerate(("static", *KINDS, "rest"))}


def order(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return `routes` in the order in which a path is tried against them."""
    return tuple(sorted(routes, key=_key))


def _key(route: Route) -> tuple[tuple[int, str], ...]:
    # Static segments are told apart by their text only to make the order deterministic.
    return tuple(
        (RANK[part.kind], part.name if part.kind == "static" else "") for part in route.segments
    )
