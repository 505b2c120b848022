"""Removals that a store in trouble did not take: repeated until it does.

Else it would come back with what was to go, and answer with that until the end of its time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import sleep
from typing import Final

from asok.errors import CacheUnavailable
from asok.forked import renew_in_children

__all__ = ["AGAIN", "MOST", "Owed"]

#: Seconds between two attempts.
AGAIN: Final = 1.0
#: Removals that are kept; of more it is all that goes.
MOST: Final = 1000


class Owed:
    """The removals that one process owes a store; `clear` removes everything from that."""

    def __init__(self, clear: Callable[[], object]) -> None:
        self._clear = clear
        self.renew()
        renew_in_children(self)

    def __len__(self) -> int:
        return len(self._calls)

    def renew(self) -> None:
        """After a fork: what the parent owes is for the parent to do."""
        self._calls: list[Callable[[], object]] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, call: Callable[[], object]) -> None:
        """Repeat `call`, which raised `CacheUnavailable`, until it does not."""
        with self._lock:
            if len(self._calls) >= MOST:
                self._calls = [self._clear]
            else:
                self._calls.append(call)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="asok-cache-owed", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while True:
            sleep(AGAIN)
            with self._lock:
                calls, self._calls = self._calls, []
            left = self._left(calls)
            with self._lock:
                self._calls = [*left, *self._calls]
                if not self._calls:
                    self._thread = None
                    return

    def _left(self, calls: list[Callable[[], object]]) -> list[Callable[[], object]]:
        for at, call in enumerate(calls):
            try:
                call()
            except CacheUnavailable:
                return calls[at:]
        return []
