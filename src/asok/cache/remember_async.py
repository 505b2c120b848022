"""The same computations as `remember`, for coroutines: the event loop never waits for a store.

A store on a disk or a network is called in a thread. A coroutine function computes on the
loop, a plain function in a thread.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextvars import Context
from time import monotonic, perf_counter
from typing import Any

from asok.cache.api import Entry, Lease
from asok.cache.refresh import Refreshes
from asok.cache.remember import FIRST_LOOK, LONGEST_LOOK, PATIENCE, Outcome, Plan, Remember
from asok.cache.threads import hop, in_thread, later

__all__ = ["AsyncRemember"]


class AsyncRemember:
    """Computations for tasks; shares the flight and the refreshes with those for threads."""

    def __init__(self, remember: Remember, refreshes: Refreshes) -> None:
        self._remember = remember
        self._refreshes = refreshes
        self._blocking = remember.store.blocking
        self._tasks: set[asyncio.Task[None]] = set()

    async def value(self, key: str, plan: Plan) -> Any:
        """Compute the value of a key that has none, or wait for who does."""
        remember = self._remember
        remember.check_not_waiting_for_itself(key)
        own: list[Outcome] = []

        async def lead() -> Entry | None:
            lease, entry = await self._turn(key)
            if entry is not None:
                return entry
            outcome = await self._compute(key, plan, lease)
            own.append(outcome)
            return outcome.entry

        shared = await remember.flight.run_async(key, lead, timeout=PATIENCE)
        if own:
            return own[0].take()
        if shared is not None:
            return shared.take()
        return (await self._compute(key, plan, await self._attempt(key))).take()

    async def _attempt(
        self, key: str, how: Callable[[str], Lease | None] | None = None
    ) -> Lease | None:
        """The key's lease; given back where the caller is cancelled while a thread takes it."""
        attempt = how or self._remember.attempt
        if not self._blocking:
            return attempt(key)
        taking = asyncio.ensure_future(in_thread(attempt, key))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(_give_back)
            raise

    async def _turn(self, key: str) -> tuple[Lease | None, Entry | None]:
        """Wait until the key's lease is ours, or its value is there."""
        remember = self._remember
        end, pause = monotonic() + PATIENCE, FIRST_LOOK
        while True:
            errors = remember.counters.errors
            lease = await self._attempt(key)
            if lease is None and remember.counters.errors != errors:
                return None, None  # the store is in trouble, nobody to wait for
            try:
                entry = await hop(self._blocking, remember.find, key)
            except asyncio.CancelledError:
                _release(lease)
                raise
            if entry is not None and entry.fresh:
                _release(lease)
                return None, entry
            if lease is not None:
                return lease, None
            if monotonic() >= end:
                return await self._attempt(key, remember.take_over), None
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    async def _compute(self, key: str, plan: Plan, lease: Lease | None) -> Outcome:
        remember = self._remember
        try:
            tags = await hop(self._blocking and bool(plan.tags), remember.tokens_of, plan)
            began = perf_counter()
            with remember.computing(key):
                result: Any
                if inspect.iscoroutinefunction(plan.fn):
                    result = await plan.fn()
                else:
                    result = await asyncio.to_thread(plan.fn)
                if inspect.isawaitable(result):
                    result = await result
            cost = perf_counter() - began
        except BaseException:
            _release(lease)
            raise

        def store() -> Outcome:
            try:
                return remember.finish(key, plan, tags, lease, result, cost)
            finally:
                if lease is not None:
                    lease.release()

        return await hop(self._blocking, store)

    def refresh(self, key: str, plan: Plan, left: float = 0.0) -> None:
        """Refresh `key` in a task of this loop, with a context of its own; see `Refreshes`."""
        if self._refreshes.begin(key):
            task = asyncio.get_running_loop().create_task(
                self._run(key, plan, left), context=Context()
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, key: str, plan: Plan, left: float) -> None:
        failure: Exception | None = None
        try:
            lease = await self._attempt(key)
            if lease is not None:
                entry = await hop(self._blocking, self._remember.find, key)
                if entry is not None and entry.fresh and entry.left > left:
                    _release(lease)  # another process was faster
                else:
                    await self._compute(key, plan, lease)
        except Exception as error:  # noqa: BLE001  the boundary of a task: `end` logs it
            failure = error
        finally:
            self._refreshes.end(key, failure)


def _release(lease: Lease | None) -> None:
    """Give a lease back without waiting for the store."""
    if lease is not None:
        later(lease.release)


def _give_back(taking: asyncio.Future[Lease | None]) -> None:
    if not taking.cancelled() and taking.exception() is None:
        _release(taking.result())
