"""Get a page or make it: one render per page over threads and processes.

What is done with one page is in maker.py. Here is who does it: the threads and tasks of a
process wait for one of them, misses are rendered by a few threads, and stale pages in the
background.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from asok.errors import ConfigurationError
from asok.pages.background import Background
from asok.pages.decision import Action, State
from asok.pages.gone import GoneMemory
from asok.pages.maker import Maker
from asok.pages.options import PageOptions
from asok.pages.route import Match
from asok.pages.served import Render, Served
from asok.pages.store import PageStore
from asok.single_flight import SingleFlight

__all__ = ["Regenerator", "Render", "Served"]


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
        self._renders = renders
        self._flight: SingleFlight[Served] = SingleFlight()
        self._background = Background(threads)
        self._gone = GoneMemory(seconds=gone_seconds, limit=gone_limit)
        self._maker = Maker(store, render, clock=clock, gone=self._gone)
        self._executors: dict[str, ThreadPoolExecutor] = {}
        self._pid = os.getpid()

    def get(self, match: Match, options: PageOptions) -> Served:
        """Return the page for `match`. Raises what the render of a miss raises."""
        served = self.peek(match, options)
        if served is not None:
            return served
        make = partial(self._maker.make, match, options, time.monotonic() + self.wait)
        return self._flight.run(match.key, make, timeout=self.wait)

    async def aget(self, match: Match, options: PageOptions) -> Served:
        """The same for asyncio callers: the loop waits for no render, and no server."""
        loop = asyncio.get_running_loop()
        if self.store.near(match.key):
            served = self.peek(match, options)
        else:
            looks = self._executor("asok-look")
            served = await loop.run_in_executor(looks, self.peek, match, options)
        if served is not None:
            return served
        make = partial(self._maker.make, match, options, time.monotonic() + self.wait)
        # Apart, so that misses of made-up addresses never queue before listed pages.
        listed = self._maker.listing.bounded(match)
        executor = self._executor("asok-render-listed" if listed else "asok-render")
        return await self._flight.run_async(
            match.key, lambda: loop.run_in_executor(executor, make), timeout=self.wait
        )

    def peek(self, match: Match, options: PageOptions) -> Served | None:
        """Return what can be answered without a render, or None.

        A stale page is returned at once, and its regeneration begins in the background.
        """
        page, decision = self._maker.look(match, options)
        if decision.action is Action.SERVE:
            cache = "HIT" if decision.state is State.FRESH else "STALE"
            return Served(cache, decision, page)
        if decision.action is Action.REFRESH:
            job = partial(self._maker.refresh, match, options)
            listed = self._maker.listing.bounded(match)
            self._background.submit(match.key, job, listed=listed)
            return Served("STALE", decision, page)
        if decision.action is Action.NOT_FOUND:
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

    def _executor(self, name: str) -> ThreadPoolExecutor:
        if self._pid != os.getpid():
            self._pid, self._executors = os.getpid(), {}  # forked: the threads stayed behind
        executor = self._executors.get(name)
        if executor is None:
            executor = self._executors[name] = ThreadPoolExecutor(self._renders, name)
        return executor
