"""Get a page or make it: one render per page over threads and processes.

The decisions are made in decision.py; this carries them out. The leader of a miss holds the
store's lease while it renders; the other threads of the process wait for its result, other
processes for the lease, after which they find the page stored. Whoever waited too long
renders for itself: a hung render must not hang everybody.

A render that was overtaken by an invalidation is not stored; it is done again.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from asok.errors import ConfigurationError
from asok.pages.background import Background
from asok.pages.decision import Action, Decision, State, decide
from asok.pages.gone import GoneMemory
from asok.pages.note import Note
from asok.pages.options import PageOptions
from asok.pages.route import Match
from asok.pages.store import PageStore
from asok.pages.stored import Rendered, StoredPage, why_not_stored
from asok.pages.tags import path_tag, route_tag
from asok.single_flight import SingleFlight

__all__ = ["Regenerator", "Render", "Served"]

log = logging.getLogger("asok.pages")

#: Renders a page for everybody: what its handler answered.
Render = Callable[[Match], Rendered]

_GONE: Final = frozenset({404, 410})
#: How often a render is done again because invalidations overtook it.
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Served:
    """What to answer with: a stored `page`, or a `rendered` one that was not stored.

    Neither is there where the path is remembered as missing: answer 404. `cache` is the
    value of `X-Asok-SSG-Cache`.
    """

    cache: Literal["HIT", "STALE", "MISS"]
    decision: Decision
    page: StoredPage | None = None
    rendered: Rendered | None = None
    collapsed: bool = False


class _RenderFailed(Exception):
    """A regeneration ended without a page to store; the message says why."""


class Regenerator:
    """Serves the pages of one `store`, rendering with `render`.

    `wait` bounds (in seconds) how long a miss waits for another's render, `threads` are the
    background threads, `renders` the threads that render misses of asyncio callers (as many
    again for pages that no build lists). A 404 is remembered for `gone_seconds`.
    """

    def __init__(
        self,
        store: PageStore,
        render: Render,
        *,
        clock: Callable[[], float] = time.time,
        wait: float = 10.0,
        threads: int = 2,
        renders: int = 4,
        gone_seconds: float = 60.0,
        gone_limit: int = 10_000,
    ) -> None:
        if wait <= 0 or threads < 1 or renders < 1:
            raise ConfigurationError(
                f"wait = {wait!r}, threads = {threads!r}, renders = {renders!r}: "
                "expected more than 0."
            )
        if not 0 <= gone_seconds <= 60:
            raise ConfigurationError(
                f"gone_seconds = {gone_seconds!r}, expected 0 to 60: a page that is published "
                "must not stay missing for longer."
            )
        self.store = store
        self.clock = clock
        self.wait = wait
        self._render = render
        self._renders = renders
        self._flight: SingleFlight[Served] = SingleFlight()
        self._background = Background(threads)
        self._gone = GoneMemory(seconds=gone_seconds, limit=gone_limit)
        self._executors: dict[bool, ThreadPoolExecutor] = {}
        self._pid = os.getpid()

    def get(self, match: Match, options: PageOptions) -> Served:
        """Return the page for `match`. Raises what the render of a miss raises."""
        served = self.peek(match, options)
        if served is not None:
            return served
        make = partial(self._make, match, options, time.monotonic() + self.wait)
        return self._flight.run(match.key, make, timeout=self.wait)

    async def aget(self, match: Match, options: PageOptions) -> Served:
        """The same for asyncio callers: the loop is never blocked by a render."""
        served = self.peek(match, options)
        if served is not None:
            return served
        loop = asyncio.get_running_loop()
        make = partial(self._make, match, options, time.monotonic() + self.wait)
        executor = self._executor(listed=self._listed(match))
        return await self._flight.run_async(
            match.key, lambda: loop.run_in_executor(executor, make), timeout=self.wait
        )

    def peek(self, match: Match, options: PageOptions) -> Served | None:
        """Return what can be answered without a render, or None.

        A stale page is returned at once, and its regeneration begins in the background.
        """
        page, _, decision = self._decide(match)
        if decision.action is Action.SERVE:
            cache = "HIT" if decision.state is State.FRESH else "STALE"
            return Served(cache, decision, page)
        if decision.action is Action.REFRESH:
            job = partial(self._refresh, match, options)
            self._background.submit(match.key, job, listed=self._listed(match))
            return Served("STALE", decision, page)
        if decision.action is Action.NOT_FOUND or (
            decision.state is State.MISS and self._refused(match, options)
        ):
            return Served("MISS", decision)
        return None

    def revalidate_path(self, path: str, *, block: bool = True) -> None:
        """Have the page of `path` rendered anew, in every worker.

        With `block` the next visitor waits for the new page; without, the old one is served
        while the new one is made. A render that is under way is not stored.
        """
        self.store.invalidate(path, self.clock(), block=block)
        self._gone.forget(path)

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait for the background regenerations; False where `timeout` was not enough."""
        return self._background.drain(timeout)

    def close(self) -> None:
        """End the render threads; those that are at work finish first."""
        for executor in self._executors.values():
            executor.shutdown(wait=True, cancel_futures=True)
        self._executors.clear()

    def _executor(self, *, listed: bool) -> ThreadPoolExecutor:
        if self._pid != os.getpid():
            self._pid, self._executors = os.getpid(), {}  # forked: the threads stayed behind
        executor = self._executors.get(listed)
        if executor is None:
            # Apart, so that misses of made-up addresses never queue before listed pages.
            executor = ThreadPoolExecutor(self._renders, "asok-render")
            self._executors[listed] = executor
        return executor

    def _listed(self, match: Match) -> bool:
        # No build lists variants by query: their number is the visitors', so it is bounded.
        if match.query:
            return False
        return not match.route.dynamic or bool(self.store.listed(match.key))

    def _refused(self, match: Match, options: PageOptions) -> bool:
        """Whether `FALLBACK = "404"` keeps a page that the build didn't list from being made."""
        return (
            options.fallback == "404"
            and match.route.dynamic
            and self.store.listed(match.path) is False
        )

    def _decide(self, match: Match) -> tuple[StoredPage | None, Note, Decision]:
        page, note = self.store.look(match.key)
        gone = None if page is not None else self._gone_until(match, note)
        return page, note, decide(page, self.clock(), note=note, gone_until=gone)

    def _gone_until(self, match: Match, note: Note) -> float | None:
        """Until when a 404 is believed: no longer than the next invalidation by any worker."""
        gone = self._gone.get(match.key)
        if gone is None or gone.ticket.generation != note.generation:
            return None
        tags = (*gone.tags, path_tag(match.path), route_tag(match.route.pattern))
        overtaken = self.store.tag_moment(*tags) >= gone.ticket.moment > 0
        return None if overtaken else gone.until

    def _make(self, match: Match, options: PageOptions, deadline: float) -> Served:
        """Render a missing or expired page, unless somebody else did while we waited."""
        path = match.key
        with self.store.lease(path, max(deadline - time.monotonic(), 0.0)):
            page, _, decision = self._decide(match)
            if decision.action is Action.SERVE:
                return Served("HIT", decision, page, collapsed=True)
            if decision.action is Action.NOT_FOUND:
                return Served("MISS", decision, collapsed=True)
            try:
                return self._render_and_store(match, options, decision, page)
            except Exception as error:
                if page is None:
                    raise
                # Expired, but better than an error page (RFC 5861, stale-if-error).
                self._failed(page, error)
                return Served("STALE", self._decide(match)[2], page)

    def _refresh(self, match: Match, options: PageOptions) -> None:
        """Regenerate a stale page in a background thread, unless another process is at it."""
        with self.store.lease(match.key, 0.0) as held:
            page, _, decision = self._decide(match)
            # Read again under the lease: others may have renewed it, or failed shortly ago.
            if not held or page is None or decision.action is not Action.REFRESH:
                return
            try:
                self._render_and_store(match, options, decision, page)
            except Exception as error:  # noqa: BLE001 - written down and logged; the page stays
                self._failed(page, error)

    def _render_and_store(
        self, match: Match, options: PageOptions, decision: Decision, old: StoredPage | None
    ) -> Served:
        """Render until no invalidation came in between.

        Raises what the render raises, and `_RenderFailed` where `old` would be replaced by
        something that can't be stored.
        """
        path, rendered = match.key, None
        for _ in range(_ATTEMPTS):
            ticket = self.store.begin(path)
            began = self.clock()
            # An empty context: nothing of the visitor who triggers this can be read.
            rendered = contextvars.Context().run(self._render, match)
            if rendered.status in _GONE:
                self._gone.add(path, began, ticket, (*options.tags, *rendered.tags))
                if old is not None:
                    self.store.remove(path, began)
                return Served("MISS", decision, rendered=rendered)
            problem = why_not_stored(rendered)
            if problem is not None:
                if old is not None:
                    raise _RenderFailed(problem)
                return Served("MISS", decision, rendered=rendered)
            fresh = StoredPage.make(
                rendered,
                path=path,
                pattern=match.route.pattern,
                params=match.params,
                rendered_at=began,
                revalidate=options.revalidate,
                expire=options.expire,
                tags=options.tags,
                listed=self._listed(match),
                moment=ticket.moment,
            )
            if self.store.put(fresh, ticket=ticket):
                return Served("MISS", decision, fresh)
        return Served("MISS", decision, rendered=rendered)

    def _failed(self, page: StoredPage, error: Exception) -> None:
        text = (
            str(error) if isinstance(error, _RenderFailed) else f"{type(error).__name__}: {error}"
        )
        note = self.store.fail(page.path, self.clock(), revalidate=page.revalidate, error=text)
        log.warning(
            "regenerating %s failed (%d in a row), the last good page stays; next try in %.0f s",
            page.path,
            note.failures,
            note.retry_at - self.clock(),
            exc_info=None if isinstance(error, _RenderFailed) else error,
        )
