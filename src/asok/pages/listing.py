"""Which paths of a page are listed, for `FALLBACK = "404"`: by the build, or before any by asking.

A release knows what `get_static_paths()` said when it was built. Where there is no build, the
function is asked: when the first path is wanted, and for a path that it didn't list again
after a minute, never once a request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from asok.errors import AsokError
from asok.pages.options import PageOptions
from asok.pages.plan import listed_params
from asok.pages.route import Match
from asok.pages.store import PageStore

__all__ = ["Listing"]


@dataclass(frozen=True, slots=True)
class _Known:
    paths: frozenset[str]
    until: float
    error: AsokError | None = None


class Listing:
    """The listed paths of the pages in `store`; what was asked counts for `seconds`."""

    def __init__(
        self,
        store: PageStore,
        *,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._asking = threading.Lock()
        self._known: dict[str, _Known] = {}

    def bounded(self, match: Match) -> bool:
        """Whether there are only as many such pages as the site has: a build lists them.

        Variants by query are never listed: their number is the visitors', as is that of
        the pages made on demand.
        """
        if match.query:
            return False
        return not match.route.dynamic or bool(self._store.listed(match.key))

    def refuses(self, match: Match, options: PageOptions) -> bool | None:
        """Whether `FALLBACK = "404"` keeps `match` from being made; None: `ask` in a thread."""
        if options.fallback != "404" or not match.route.dynamic:
            return False
        listed = self._store.listed(match.path)
        if listed is not None:
            return not listed
        known = self._known.get(match.route.pattern)
        if known is not None and _bare(match) in known.paths:
            return False
        if known is None or self._clock() >= known.until:
            return None
        return None if known.error is not None else True

    def ask(self, match: Match, options: PageOptions) -> bool:
        """The same, calling `get_static_paths()` where that is due.

        Raises what it raises, and the same again until it is due: a source that is down is
        not asked by every request.
        """
        with self._asking:
            refused = self.refuses(match, options)
            if refused is not None:
                return refused
            known = self._known.get(match.route.pattern)
            if known is not None and known.error is not None and self._clock() < known.until:
                raise known.error
            try:
                route = match.route
                paths = frozenset(route.path(params) for params in listed_params(route, options))
            except AsokError as error:
                before = known.paths if known is not None else frozenset[str]()
                self._known[match.route.pattern] = _Known(before, self._due(), error)
                raise
            self._known[route.pattern] = _Known(paths, self._due())
            return _bare(match) not in paths

    def _due(self) -> float:
        return self._clock() + self._seconds


def _bare(match: Match) -> str:
    """The path as `Route.path` makes it: without the slash that a site may put at its end."""
    return match.path.rstrip("/")
