"""One computation per key: the first caller computes, the others wait for its result.

Serves threads and event-loop tasks of one process. Across processes a lock of the store
does the same; this in front of it keeps a process from waiting on itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable, Iterable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Computations that are under way, by key.

    A waiter gets the leader's value, or the leader's exception. Where the leader was
    cancelled, the waiters are not: one of them computes in its place.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[T]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def _join(self, key: Hashable) -> tuple[Future[T], bool]:
        with self._lock:
            future = self._running.get(key)
            if future is not None:
                return future, False
            future = self._running[key] = Future()
            return future, True

    def _leave(self, key: Hashable, future: Future[T]) -> None:
        with self._lock:
            if self._running.get(key) is future:
                del self._running[key]

    def drop(self, keys: Iterable[Hashable] | None = None) -> None:
        """Let nobody wait from now on for what is under way; None for all keys.

        Who waits already gets its result.
        """
        with self._lock:
            for key in tuple(self._running) if keys is None else keys:
                self._running.pop(key, None)

    def run(self, key: Hashable, compute: Callable[[], T], *, timeout: float | None = None) -> T:
        """Return `compute()`, computed once for all threads and tasks that ask meanwhile.

        `timeout` (seconds) bounds the wait for another's result; after it this caller
        computes for itself, so that a hung leader does not hang everybody.
        """
        future, leader = self._join(key)
        if not leader:
            try:
                return future.result(timeout)
            except _LeaderCancelled:
                return self.run(key, compute, timeout=timeout)
            except TimeoutError:
                if future.done():  # the leader's own TimeoutError, not ours
                    raise
                return compute()
        try:
            value = compute()
        except BaseException as error:
            self._leave(key, future)
            future.set_exception(error if isinstance(error, Exception) else _LeaderCancelled())
            raise
        self._leave(key, future)
        future.set_result(value)
        return value

    async def run_async(
        self,
        key: Hashable,
        compute: Callable[[], Awaitable[T]],
        *,
        timeout: float | None = None,
    ) -> T:
        """The same for event-loop tasks; a cancelled waiter does not cancel the leader."""
        future, leader = self._join(key)
        if not leader:
            shared = asyncio.wrap_future(future)
            # A waiter that stops waiting must not leave "exception was never retrieved" behind.
            shared.add_done_callback(lambda done: done.cancelled() or done.exception())
            done, _ = await asyncio.wait({shared}, timeout=timeout)
            if not done:
                return await compute()
            try:
                return shared.result()
            except _LeaderCancelled:
                return await self.run_async(key, compute, timeout=timeout)
        try:
            value = await compute()
        except BaseException as error:
            self._leave(key, future)
            future.set_exception(error if isinstance(error, Exception) else _LeaderCancelled())
            raise
        self._leave(key, future)
        future.set_result(value)
        return value


class _LeaderCancelled(Exception):
    """The leader went away without a result (cancelled, or the interpreter is stopping)."""
