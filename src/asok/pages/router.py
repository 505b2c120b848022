"""From a decoded path to the page that answers it, and back."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from asok.errors import RouteError
from asok.pages.conflict import refuse_conflicts, refuse_taken
from asok.pages.kinds import KINDS, Value, is_segment
from asok.pages.precedence import RANK, order
from asok.pages.route import Match, Route, encode_path

__all__ = ["Router"]

#: Longer paths are no page: nothing that a client sends may make a large key.
MAX_PATH = 2048


class _Node:
    """The routes that share a beginning; each node is visited at most once a match."""

    __slots__ = ("dynamic", "rest", "route", "static")

    def __init__(self) -> None:
        self.static: dict[str, _Node] = {}
        self.dynamic: list[tuple[str, _Node]] = []
        self.rest: Route | None = None
        self.route: Route | None = None

    def child(self, kind: str, name: str) -> _Node:
        if kind == "static":
            return self.static.setdefault(name, _Node())
        for known, node in self.dynamic:
            if known == kind:
                return node
        node = _Node()
        self.dynamic.append((kind, node))
        self.dynamic.sort(key=lambda pair: RANK[pair[0]])
        return node


class Router:
    """Every route of a site; `routes` holds them in the order of precedence.

    With `trailing_slash` paths end with one, except those of routes that are named like a
    file (`/feed.xml`). What is below `taken` never gets here. Raises `RouteConflict` where two
    routes answer the same paths, and `RouteError` for a route below `taken`.
    """

    def __init__(
        self, routes: Iterable[Route], *, trailing_slash: bool = False, taken: Iterable[str] = ()
    ) -> None:
        self.trailing_slash = trailing_slash
        self.routes = order(routes)
        refuse_conflicts(self.routes)
        refuse_taken(self.routes, taken, trailing_slash=trailing_slash)
        self._by_pattern = {route.pattern: route for route in self.routes}
        self._root = _Node()
        for route in self.routes:
            node = self._root
            for segment in route.segments:
                if segment.kind == "rest":
                    node.rest = route
                    break
                node = node.child(segment.kind, segment.name)
            else:
                node.route = route

    def match(self, path: str) -> Match | None:
        """Return the route and the parameters' values for a decoded `path`, or None.

        Only the canonical form of a path matches: the trailing slash as the site has it, NFC,
        no empty or dot segment, no backslash or control character, nothing that is encoded
        twice, segments of at most 255 bytes.
        """
        slash = False
        if path == "/":
            texts: list[str] = []
        elif path[:1] != "/" or len(path) > MAX_PATH:
            return None
        else:
            slash = path[-1] == "/"
            texts = (path[1:-1] if slash else path[1:]).split("/")
            if not all(map(is_segment, texts)):
                return None
        values: list[Value] = []
        route = _walk(self._root, texts, 0, values)
        if route is None or slash != self._slashed(route):
            return None
        return Match(route, dict(zip(route.params, values, strict=True)), path)

    def canonical(self, path: str) -> str | None:
        """Return the form of a decoded `path` that a page answers, None where none does.

        It differs from `path` in nothing but a trailing slash, or Unicode text that is NFC.
        """
        if path[:1] != "/" or len(path) > MAX_PATH or path.endswith("//"):
            return None
        bare = unicodedata.normalize("NFC", path.removesuffix("/"))
        for form in (bare, f"{bare}/"):
            if self.match(form) is not None:
                return form
        return None

    def redirect(self, path: str) -> str | None:
        """Return the encoded canonical address for a path that differs from it only in form.

        None where `path` is canonical already or no page answers it either way.
        """
        canonical = self.canonical(path)
        return None if canonical is None or canonical == path else encode_path(canonical)

    def path(self, route: Route, params: Mapping[str, Any]) -> str:
        """Return the canonical decoded path of `route` for `params`.

        Raises `RouteError` for parameters that don't fit.
        """
        bare = route.path(params)
        return f"{bare}/" if self._slashed(route) else bare

    def _slashed(self, route: Route) -> bool:
        return self.trailing_slash and bool(route.segments) and not route.names_file

    def route(self, pattern: str) -> Route:
        """Return the route of `pattern`. Raises `RouteError` with suggestions."""
        route = self._by_pattern.get(pattern)
        if route is None:
            near = self.nearest(pattern)
            raise RouteError(
                f"there is no page {pattern!r}.",
                fix=f"Did you mean {' or '.join(near)}?" if near else None,
            )
        return route

    def url(self, pattern: str, params: Mapping[str, Any] | None = None) -> str:
        """Return the percent-encoded path of the page `pattern` for `params`.

        Raises `RouteError` for an unknown pattern or parameters that don't fit.
        """
        return encode_path(self.path(self.route(pattern), params or {}))

    def nearest(self, path: str, count: int = 3) -> list[str]:
        """Return up to `count` patterns whose paths resemble `path`, most similar first."""
        given = path[:200].strip("/").lower().split("/")
        scored: list[tuple[float, str]] = []
        for route in self.routes:
            score = _similarity(route, given)
            if score >= 0.6:
                scored.append((-score, route.pattern))
        return [pattern for _, pattern in sorted(scored)[:count]]


def _similarity(route: Route, given: list[str]) -> float:
    """How much the segments `given` look like the route's, from 0 to 1.

    Parameters take whatever stands in their place; a route of parameters only resembles
    everything, so it resembles nothing.
    """
    parts = route.segments
    catch_all = bool(parts) and parts[-1].kind == "rest"
    if len(parts) > len(given) or (len(parts) < len(given) and not catch_all):
        return 0.0
    ratios = [
        difflib.SequenceMatcher(None, text, part.name.lower()).ratio()
        for part, text in zip(parts, given, strict=False)
        if part.kind == "static"
    ]
    return min(ratios, default=0.0)


def _walk(node: _Node, texts: list[str], at: int, values: list[Value]) -> Route | None:
    """Find the first route in the order of precedence; `values` holds its parameters."""
    if at == len(texts):
        return node.route
    text = texts[at]
    child = node.static.get(text)
    if child is not None:
        route = _walk(child, texts, at + 1, values)
        if route is not None:
            return route
    for kind, child in node.dynamic:
        value = KINDS[kind](text)
        if value is None:
            continue
        values.append(value)
        route = _walk(child, texts, at + 1, values)
        if route is not None:
            return route
        values.pop()
    if node.rest is not None:
        values.append("/".join(texts[at:]))
    return node.rest
