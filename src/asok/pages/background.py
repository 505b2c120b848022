"""Background threads for regeneration: few, bounded, one job a page, listed pages first."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Background"]

log = logging.getLogger("asok.pages")

#: Jobs for pages made on demand that may wait. Listed pages are as many as the site has.
_MAX_UNLISTED: Final = 256
_IDLE_SECONDS: Final = 10.0

_Job = tuple[str, Callable[[], None]]


class Background:
    """Runs jobs in at most `threads` daemon threads, which end when there is nothing to do.

    A visitor can make many pages on demand and let them get stale. Their jobs wait behind
    those of listed pages, never have all threads (where there is more than one), and beyond
    a bound they are refused: the next hit asks again.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._waiting: dict[bool, deque[_Job]] = {True: deque(), False: deque()}
        self._pending: set[str] = set()
        self._running = 0
        self._unlisted_running = 0

    def submit(self, key: str, job: Callable[[], None], *, listed: bool) -> bool:
        """Run `job` soon; False where one for `key` waits or runs already, or too many wait."""
        if self._pid != os.getpid():
            self._reset()  # forked: threads and what they did stayed in the parent
        with self._changed:
            if key in self._pending or (not listed and len(self._waiting[False]) >= _MAX_UNLISTED):
                return False
            self._pending.add(key)
            self._waiting[listed].append((key, job))
            self._changed.notify()
            if self._running < min(self.threads, len(self._pending)):
                self._running += 1
                name = f"asok-regenerate-{self._running}"
                threading.Thread(target=self._run, name=name, daemon=True).start()
        return True

    def _next(self) -> tuple[bool, _Job] | None:
        """Take the job to run now, under the lock; None where all have to wait."""
        if self._waiting[True]:
            return True, self._waiting[True].popleft()
        if self._waiting[False] and self._unlisted_running < max(self.threads - 1, 1):
            self._unlisted_running += 1
            return False, self._waiting[False].popleft()
        return None

    def _run(self) -> None:
        while True:
            with self._changed:
                taken = self._next()
                if taken is None:
                    woken = self._changed.wait(_IDLE_SECONDS)
                    taken = self._next()
                    if taken is None and not woken:
                        self._running -= 1
                        return
                    if taken is None:
                        continue
            listed, (key, job) = taken
            try:
                job()
            except Exception:
                # A job writes its own failures down; this is a fault of the store or of Asok.
                log.exception("regenerating %s failed", key)
            finally:
                with self._changed:
                    self._pending.discard(key)
                    self._unlisted_running -= not listed
                    self._changed.notify()

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits or runs; False where `timeout` seconds were not enough."""
        end = time.monotonic() + timeout
        while self._pending:
            if time.monotonic() >= end:
                return False
            time.sleep(0.002)
        return True
