"""What the site itself says about a page: its route, its file, its mode, and the cache's totals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from asok.pages import PageOptions

if TYPE_CHECKING:
    from asok.app import Asok

__all__ = ["Facts"]


class Facts:
    """Asks a site."""

    def __init__(self, app: Asok, root: Path) -> None:
        self._app = app
        self._root = root

    def route(self, path: str) -> dict[str, Any] | None:
        """Return pattern, file and mode of the page at `path`, below the mount; None: no page."""
        match = self._app.router.match(path)
        if match is None:
            return None
        route = match.route
        return {
            "pattern": route.pattern,
            "file": str((route.module or route.file).relative_to(self._root)),
            "mode": mode(self._app.options(route)),
        }

    def cache(self) -> dict[str, int]:
        """Return what the site's cache counted since this process began."""
        return self._app.cache.stats()


def mode(options: PageOptions) -> str:
    """Say how a page is made in production."""
    if not options.ssg:
        return "dynamic: rendered for each request"
    if options.revalidate is None:
        return "SSG: rendered once, by asok build"
    return f"ISR: rendered again after {options.revalidate:g} s"
