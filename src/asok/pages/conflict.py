"""Routes that answer the same paths are refused, naming both files."""

from __future__ import annotations

from collections.abc import Iterable

from asok.errors import RouteConflict
from asok.pages.route import Route

__all__ = ["refuse_conflicts"]


def refuse_conflicts(routes: Iterable[Route]) -> None:
    """Raise `RouteConflict` for the first two routes of one shape.

    The shape is the path without the names of its parameters: `/[a]` and `/[b]` are one,
    `/[id:int]` and `/[slug]` are not (the narrower type is asked first).
    """
    seen: dict[tuple[tuple[str, str], ...], Route] = {}
    for route in routes:
        shape = tuple(
            (part.kind, part.name if part.kind == "static" else "") for part in route.segments
        )
        other = seen.setdefault(shape, route)
        if other is route:
            continue
        if other.pattern == route.pattern:
            why = f"both are the page of {route.pattern}"
        else:
            why = f"{other.pattern} and {route.pattern} answer the same paths"
        raise RouteConflict(
            f"{other.file} and {route.file}: {why}.",
            first=other.file,
            second=route.file,
            fix="Remove one of them, or give one a type or a folder of its own.",
        )
