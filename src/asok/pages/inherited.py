"""Pages that the code before this one made on demand: after a deploy better than none.

The new build knows only the pages that it lists. Those that visitors asked for are in the
overlays of earlier code, whose workers may still use them; they are served as stale until
the new code has made its own. A build removes the overlays of code whose releases are gone:
the assets of their pages are no longer there either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from asok.pages.page_folder import PageFolder
from asok.pages.stored import StoredPage

__all__ = ["FileInheritance", "Inheritance", "Nothing"]


class Inheritance(Protocol):
    """Pages of other fingerprints, to read. Damage counts as missing; nothing is raised."""

    def get(self, key: str) -> StoredPage | None:
        """Return the page of `key` that was rendered last."""
        ...

    def paths(self) -> Iterator[str]:
        """Every key that a page is there for."""
        ...


class Nothing:
    """No inheritance."""

    def get(self, key: str) -> StoredPage | None:
        return None

    def paths(self) -> Iterator[str]:
        return iter(())


class FileInheritance:
    """The other overlays beside that of `fingerprint` in `root` (`.asok/ssg_cache`).

    Which there are is looked up once, at the start: later ones are of later code.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        self._folders: list[PageFolder] = []
        with suppress(OSError):
            for folder in sorted((root / "overlay").iterdir()):
                if folder.name != fingerprint:
                    self._folders += [
                        PageFolder(folder / "listed"),
                        PageFolder(folder / "unlisted"),
                    ]

    def get(self, key: str) -> StoredPage | None:
        found = [folder.read(key) for folder in self._folders]
        pages = [page for page in found if page is not None]
        return max(pages, key=lambda page: page.rendered_at, default=None)

    def paths(self) -> Iterator[str]:
        for folder in self._folders:
            for record in folder.records():
                yield record.path
