"""Where in a site's own files a link of a finished page was written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

__all__ = ["WrittenAt", "line_in"]

_TEXTS: Final = frozenset(
    {".asok", ".html", ".json", ".md", ".py", ".rst", ".toml", ".txt", ".yaml", ".yml"}
)
_PASSED_OVER: Final = frozenset({"__pycache__", "node_modules", "tests", "dist", "build"})
#: What a link's text stands between: quotes, Markdown's parentheses, a blank, an element.
_BEFORE: Final = r"""(?<=["'(<=\s\]])"""
_AFTER: Final = r"""(?=["')>\s]|$)"""
_LARGEST: Final = 1_000_000


class WrittenAt:
    """Finds a text in the files of the site at `root`; files are read once, when first asked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[Path, str] | None = None

    def find(self, value: str, folder: Path) -> tuple[Path, int] | None:
        """Return the file and the line where `value` is written, None where it is made up.

        The page's own `folder` is looked through first, then the site's templates, then
        everything else: a link of a layout stands on many pages.
        """
        if not value:
            return None
        pattern = re.compile(
            f"{_BEFORE}(?:{re.escape(value)}|{re.escape(escape(value))}){_AFTER}", re.MULTILINE
        )
        for path in sorted(self._all(), key=lambda path: (self._rank(path, folder), path)):
            text = self._all()[path]
            found = pattern.search(text) if value in text or "&" in value else None
            if found is not None:
                return path, text.count("\n", 0, found.start()) + 1
        return None

    def _rank(self, path: Path, folder: Path) -> int:
        if path.parent == folder:
            return 0
        inside = path.relative_to(self._root).parts
        if len(inside) > 1 and inside[0] == "src":
            return {"partials": 1, "templates": 1, "components": 2}.get(inside[1], 3)
        return 4

    def _all(self) -> dict[Path, str]:
        if self._texts is None:
            self._texts = {
                path: path.read_text("utf-8", errors="replace") for path in _files(self._root)
            }
        return self._texts


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _PASSED_OVER
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        for name in names:
            path = Path(folder, name)
            # A link that dangles is no file.
            if path.suffix in _TEXTS and path.is_file() and path.stat().st_size <= _LARGEST:
                yield path


def line_in(body: bytes, value: str) -> int | None:
    """Return the line of a finished page on which `value` stands in quotes."""
    for text in (value, escape(value)):
        for quote in ('"', "'"):
            at = body.find(f"{quote}{text}{quote}".encode())
            if at >= 0:
                return body.count(b"\n", 0, at) + 1
    return None
