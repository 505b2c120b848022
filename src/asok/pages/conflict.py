"""Routes that answer the same paths, or that are never asked, are refused by their files."""

from __future__ import annotations

from collections.abc import Iterable

from asok.errors import RouteConflict, RouteError
from asok.pages.route import Route

__all__ = ["refuse_conflicts", "refuse_taken"]


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


def refuse_taken(routes: Iterable[Route], prefixes: Iterable[str], *, trailing_slash: bool) -> None:
    """Raise `RouteError` for a route below one of `prefixes`, which something else answers."""
    below = tuple(f"{prefix}/" for prefix in prefixes)
    for route in routes:
        path = f"{route.pattern}/" if trailing_slash else route.pattern
        if path.startswith(below):
            taken = next(prefix for prefix in below if path.startswith(prefix))
            raise RouteError(
                f"got a page at {route.pattern}, but everything below {taken} is files: nobody "
                "would ever see it.",
                fix="Give its folder in src/pages another name.",
                file=route.file,
            )
