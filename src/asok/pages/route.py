"""A route as data: the segments of its path, and the files that answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from asok.errors import RouteError
from asok.pages.kinds import Value, value_text

__all__ = ["Match", "Route", "Segment", "Tree", "encode_path", "page_key"]


def encode_path(path: str) -> str:
    """Percent-encode a decoded path for a link or a `Location` header."""
    return quote(path, safe="/-._~!$&'()*+,=:@")


def page_key(path: str, query: Sequence[tuple[str, str]]) -> str:
    """Return what the page of `path` is stored under for its declared query parameters."""
    return f"{path}\0{urlencode(query)}" if query else path


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a route's path.

    `kind` is "static", one of `kinds.KINDS`, or "rest" (several segments). `name` is the
    parameter's name, or the literal text of a static segment.
    """

    name: str
    kind: str

    @property
    def text(self) -> str:
        """The segment as it is written in a pattern."""
        if self.kind == "static":
            return self.name
        if self.kind == "rest":
            return f"[...{self.name}]"
        return f"[{self.name}]" if self.kind == "plain" else f"[{self.name}:{self.kind}]"


@dataclass(frozen=True)
class Route:
    """One page: `module` is its page.py, `template` its page.html or page.asok.

    At least one of them is there; with both, the module's handler renders the template.
    """

    segments: tuple[Segment, ...]
    folder: Path
    module: Path | None = None
    template: Path | None = None

    @cached_property
    def pattern(self) -> str:
        """The path with its parameters as written: "/blog/[slug]"."""
        return "/" + "/".join(segment.text for segment in self.segments)

    @cached_property
    def params(self) -> Mapping[str, str]:
        """Parameter name -> kind, in the order of the path."""
        return {part.name: part.kind for part in self.segments if part.kind != "static"}

    @cached_property
    def names_file(self) -> bool:
        """Whether its address is that of a file: `/feed.xml`, `/.well-known/security.txt`."""
        last = self.segments[-1] if self.segments else None
        return last is not None and last.kind == "static" and "." in last.name

    @property
    def dynamic(self) -> bool:
        """Whether the path has parameters."""
        return bool(self.params)

    @property
    def file(self) -> Path:
        """The file that errors about this page name."""
        return self.module or self.template or self.folder

    def path(self, params: Mapping[str, Any]) -> str:
        """Return the decoded path for `params`, which must be exactly the route's parameters.

        Raises `RouteError` for a missing, unknown or unfitting parameter.
        """
        if self.params.keys() != params.keys():
            wanted, got = set(self.params), set(params)
            parts = [f"{name!r} is missing" for name in sorted(wanted - got)]
            parts += [f"{name!r} is not a parameter" for name in sorted(got - wanted)]
            example = ", ".join(f'"{name}": …' for name in self.params)
            raise RouteError(
                f"the parameters {dict(params)!r} don't fit {self.pattern}: {', '.join(parts)}.",
                fix=f"Give exactly {{{example}}}.",
                file=self.file,
            )
        texts: list[str] = []
        for segment in self.segments:
            if segment.kind == "static":
                texts.append(segment.name)
                continue
            text = value_text(segment.kind, params[segment.name])
            if text is None:
                raise RouteError(
                    f"{segment.name} = {params[segment.name]!r} can't stand for {segment.text} "
                    f"in {self.pattern}.",
                    fix=_EXPECTED[segment.kind],
                    file=self.file,
                )
            texts.append(text)
        return "/" + "/".join(texts)


_SEGMENT = (
    "at most 255 bytes, no slash, backslash or control character, nothing percent-encoded, not "
    "'.' or '..'"
)
_EXPECTED = {
    "int": "Expected an integer of at most 18 digits.",
    "float": "Expected a finite number, written without exponent or needless zeros.",
    "uuid": "Expected a UUID in lower case with hyphens.",
    "slug": "Expected letters a-z, digits, '-' and '_' only, at most 255.",
    "plain": f"Expected a text that is not empty: {_SEGMENT}.",
    "rest": f"Expected segments joined by '/', each {_SEGMENT}.",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A route, the values of its parameters, and the canonical decoded path they came from.

    `query` holds the declared query parameters (`QUERY`) that were given, in the order in
    which the page declares them, each with the canonical text of its value.
    """

    route: Route
    params: Mapping[str, Value]
    path: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """What the page is stored under: its path, and its query behind a NUL.

        No path can hold a NUL, so no address names another page's entry.
        """
        return page_key(self.path, self.query)


@dataclass(frozen=True, slots=True)
class Tree:
    """What a folder of pages holds: its routes, and its error pages by status (404, 500)."""

    root: Path
    routes: tuple[Route, ...]
    errors: Mapping[int, Route]
