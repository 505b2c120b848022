"""Background threads for regeneration: few, bounded, one job a page, listed pages first."""

from __future__ import annotations

import itertools
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Background"]

log = logging.getLogger("asok.pages")

#: Jobs for pages made on demand that may wait. Listed pages are as many as the site has.
_MAX_UNLISTED: Final = 256
_IDLE_SECONDS: Final = 10.0


class Background:
    """Runs jobs in at most `threads` daemon threads, which end when there is nothing to do.

    A visitor can make many pages on demand and let them get stale; their jobs wait behind
    those of listed pages, and beyond a bound they are refused (the next hit asks again).
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._jobs: queue.PriorityQueue[tuple[bool, int, str, Callable[[], None]]]
        self._jobs = queue.PriorityQueue()
        self._order = itertools.count()
        self._pending: set[str] = set()
        self._unlisted = 0
        self._running = 0

    def submit(self, path: str, job: Callable[[], None], *, listed: bool) -> bool:
        """Run `job` soon; False where one for `path` waits or runs already, or too many wait."""
        if self._pid != os.getpid():
            self._reset()  # forked: threads and what they did stayed in the parent
        with self._lock:
            if path in self._pending or (not listed and self._unlisted >= _MAX_UNLISTED):
                return False
            self._pending.add(path)
            self._unlisted += not listed
            self._jobs.put((not listed, next(self._order), path, job))
            if self._running < min(self.threads, len(self._pending)):
                self._running += 1
                name = f"asok-regenerate-{self._running}"
                threading.Thread(target=self._run, name=name, daemon=True).start()
        return True

    def _run(self) -> None:
        while True:
            try:
                unlisted, _, path, job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._running -= 1
                        return
                continue
            try:
                job()
            except Exception:
                # A job writes its own failures down; this is a fault of the store or of Asok.
                log.exception("regenerating %s failed", path)
            finally:
                with self._lock:
                    self._pending.discard(path)
                    self._unlisted -= unlisted

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits or runs; False where `timeout` seconds were not enough."""
        end = time.monotonic() + timeout
        while self._pending:
            if time.monotonic() >= end:
                return False
            time.sleep(0.002)
        return True
