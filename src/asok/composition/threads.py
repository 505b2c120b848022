"""Threads for what may block in live components: bounded, and not all held by what hangs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from anyio import CapacityLimiter, WouldBlock, to_thread

from asok import models
from asok.models.request_scope import current_scope

__all__ = ["Threads"]

log = logging.getLogger("asok.live")


class Threads:
    """Runs functions in threads, each with one database session for all of it.

    `limit` run at the same time. Where they are all taken, those that have run for longer than
    `patience` seconds no longer count, so that methods which hang hold up nobody else; of such
    there are `slow` at the most, after which who comes has to wait. Requests of pages have
    threads of their own.
    """

    def __init__(self, limit: int = 40, *, slow: int = 200, patience: float = 1.0) -> None:
        self._limit = limit
        self._slow = slow
        self._patience = patience
        self._limiter = CapacityLimiter(limit)
        self._numbers = count()
        #: Since when each one runs. Single operations on a dictionary need no lock.
        self._running: dict[int, float] = {}
        self._warned = False
        #: The loop of the one timer that looks again, for everybody who waits.
        self._looking: asyncio.AbstractEventLoop | None = None

    @property
    def busy(self) -> int:
        """How many functions run."""
        return len(self._running)

    @property
    def limit(self) -> float:
        """How many may run now."""
        return self._limiter.total_tokens

    async def __call__(self, function: Callable[[], Any]) -> Any:
        """Return what `function` returns; a call that was cancelled waits for its end."""
        scope = current_scope()
        if scope is not None and scope.connected:
            # Who holds a connection never queues for a thread: those who wait for a connection
            # might hold every thread there is.
            return await to_thread.run_sync(self._run, function, limiter=CapacityLimiter(1))
        ticket = object()
        try:
            self._limiter.acquire_on_behalf_of_nowait(ticket)
        except WouldBlock:
            self._make_room()
            await self._limiter.acquire_on_behalf_of(ticket)
        try:
            return await to_thread.run_sync(self._run, function, limiter=CapacityLimiter(1))
        finally:
            self._limiter.release_on_behalf_of(ticket)

    def _run(self, function: Callable[[], Any]) -> Any:
        number = next(self._numbers)
        self._running[number] = time.monotonic()
        try:
            with models.scope():
                return function()
        finally:
            del self._running[number]

    def _make_room(self) -> None:
        """Count those that run for long apart, for as long as there are some; on the loop."""
        loop = asyncio.get_running_loop()
        if self._looking is loop:
            return
        now = time.monotonic()
        slow = sum(now - began > self._patience for began in list(self._running.values()))
        if slow > self._slow and not self._warned:
            log.error(
                "%d calls of components have run for more than %g seconds: others wait for them. "
                "Look for methods that hang, or raise ASOK_LIVE_SLOW_THREADS.",
                slow,
                self._patience,
            )
        self._warned = slow > self._slow
        self._limiter.total_tokens = self._limit + min(slow, self._slow)
        self._looking = loop
        loop.call_later(self._patience / 4, self._look_again)

    def _look_again(self) -> None:
        self._looking = None
        waiting = self._limiter.statistics().tasks_waiting
        if waiting or self._limiter.total_tokens > self._limit:
            self._make_room()
