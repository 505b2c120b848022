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
from typing import Final, Protocol

from asok.pages.page_folder import PageFolder
from asok.pages.stored import StoredPage

__all__ = ["FileInheritance", "Inheritance", "Nothing", "last_write"]

_CODES: Final = 3
_PARTS: Final = ("listed", "unlisted")


def last_write(overlay: Path) -> float:
    """Return when a page was last put into or removed from an overlay, 0 where none ever was."""
    try:
        return max((overlay / part).stat().st_mtime for part in _PARTS)
    except OSError:
        return 0.0


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

    Which there are is looked up once, at the start: later ones are of later code. The three
    written last are asked, for each costs every miss two looks at the disk.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        overlays: list[Path] = []
        with suppress(OSError):
            overlays = [one for one in (root / "overlay").iterdir() if one.name != fingerprint]
        overlays.sort(key=last_write, reverse=True)
        self._folders = [
            PageFolder(overlay / part) for overlay in overlays[:_CODES] for part in _PARTS
        ]

    def get(self, key: str) -> StoredPage | None:
        found = [folder.read(key) for folder in self._folders]
        pages = [page for page in found if page is not None]
        return max(pages, key=lambda page: page.rendered_at, default=None)

    def paths(self) -> Iterator[str]:
        for folder in self._folders:
            for record in folder.records():
                yield record.path
