"""References from one asset to another: where they stand, what they mean, how they change."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from asok.assets import names

__all__ = ["Edit", "Reference", "Target", "Unreadable", "edited", "relative", "target"]

_ELSEWHERE = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:|//|/|#|$|[?])")


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: its value with escapes undone, its place, and its line (1-based).

    `start` and `end` enclose what is replaced, by what `quote` makes of another value.
    `bare` is the name of a module that an import map knows, `at_once` what loads together
    with the file itself: a static import, not an `import()`.
    """

    value: str
    start: int
    end: int
    line: int
    quote: Callable[[str], str]
    bare: bool = False
    at_once: bool = True


class Unreadable(ValueError):
    """A text that is not in its language: what it is instead, and the line (1-based)."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True)
class Target:
    """An asset's name, and the `?query` and `#fragment` that the reference keeps."""

    name: str
    rest: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The text between two places of a source is to become `text`."""

    start: int
    end: int
    text: str


def edited(source: str, edits: Iterable[Edit]) -> str:
    """Return `source` with `edits`, which are in order and don't overlap."""
    pieces: list[str] = []
    position = 0
    for edit in edits:
        pieces += (source[position : edit.start], edit.text)
        position = edit.end
    return "".join((*pieces, source[position:]))


def target(value: str, origin: str, prefix: str) -> Target | None:
    """Return what `value`, written in the asset `origin`, refers to.

    None is something else's business: another site, `data:`, a fragment of the document, an
    absolute path that isn't under `prefix`. A relative path that climbs out of the assets
    keeps its `..`, and so names nothing.
    """
    value = value.strip(" \t\n\r\f")
    if value.startswith(prefix + "/"):
        path, folder = value[len(prefix) + 1 :], ""
    elif _ELSEWHERE.match(value):
        return None
    else:
        path, folder = value, posixpath.dirname(origin)
    bare = re.split(r"[?#]", path, maxsplit=1)[0]
    name = posixpath.normpath(posixpath.join(folder, unquote(bare)))
    return Target(name, path[len(bare) :])


def relative(name: str, origin: str) -> str:
    """Return the relative URL of the asset `name` from the asset `origin`.

    Relative, so that it holds under any prefix and on any CDN.
    """
    path = posixpath.relpath(name, posixpath.dirname(origin) or ".")
    # A first part with a colon would read as a scheme; names hold none (`names.is_wellformed`).
    return names.quoted(path)
