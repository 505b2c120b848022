"""What each page of a site is: static, regenerated, or made for every request; and alive or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asok.app import Asok
    from asok.asgi.page import Page

__all__ = ["Line", "listing", "seconds"]

_COMPONENT: Final = re.compile(r"\{\{[^}]*\bcomponent\s*\(|\{%-?\s*component\b")
_REFERENCE: Final = re.compile(r"\{%-?\s*(?:extends|include|import|from)\s+(['\"])(.+?)\1")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SUFFIXES: Final = (".html", ".asok")


@dataclass(frozen=True, slots=True)
class Line:
    """One page. `mode` is "static", "isr" or "dynamic"; `revalidate` is in seconds.

    `live` is true where a template of the page holds a component.
    """

    pattern: str
    mode: str
    live: bool
    methods: tuple[str, ...]
    file: Path
    revalidate: float | None = None
    guarded: bool = False

    @property
    def called(self) -> str:
        """The methods in words: "GET POST", or "any"."""
        return "any" if self.methods == _METHODS else " ".join(self.methods)

    def as_json(self, root: Path) -> dict[str, Any]:
        """The line for `--json`."""
        return {
            "pattern": self.pattern,
            "mode": self.mode,
            "live": self.live,
            "methods": list(self.methods),
            "file": self.file.relative_to(root).as_posix(),
            "revalidate": self.revalidate,
            "guarded": self.guarded,
        }


def listing(app: Asok) -> list[Line]:
    """Return a line for each page of `app`, in the order in which they are asked."""
    references = _References(app.root / "src")
    return [_line(app.parts.pages[route.pattern], references) for route in app.router.routes]


def _line(page: Page, references: _References) -> Line:
    options = page.options
    mode = "dynamic" if not page.static else "static" if options.revalidate is None else "isr"
    return Line(
        pattern=page.route.pattern,
        mode=mode,
        live=references.alive(page.route.folder),
        methods=tuple(method for method in _METHODS if method in page.allow),
        file=page.file,
        revalidate=options.revalidate if page.static else None,
        guarded=bool(page.guards),
    )


class _References:
    """Which templates hold components, read from their source: the names they write out."""

    def __init__(self, source: Path) -> None:
        self._roots = [source / name for name in ("components", "partials", "templates")]
        self._known: dict[Path, bool] = {}

    def alive(self, folder: Path) -> bool:
        """Whether a template in the page's `folder`, or one that it names, holds a component."""
        templates = [path for path in folder.iterdir() if path.suffix in _SUFFIXES]
        return any(self._alive(path, folder) for path in templates)

    def _alive(self, path: Path, folder: Path) -> bool:
        found = self._known.get(path)
        if found is None:
            self._known[path] = False  # a circle of includes adds nothing
            text = path.read_text("utf-8", errors="replace")
            found = self._known[path] = bool(_COMPONENT.search(text)) or any(
                self._alive(other, folder) for other in self._named(text, folder)
            )
        return found

    def _named(self, text: str, folder: Path) -> Iterator[Path]:
        for match in _REFERENCE.finditer(text):
            stem = Path(match[2])
            for root in (folder, *self._roots):
                found = [root / stem.with_suffix(suffix) for suffix in _SUFFIXES]
                yield from (path for path in found if path.is_file())


def seconds(value: float) -> str:
    """Return a number of seconds as a person says it: "1 h", "90 s"."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if value >= size and value % size == 0:
            return f"{value / size:g} {unit}"
    return f"{value:g} s"
