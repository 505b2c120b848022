"""After trouble with a server, answer at once until it is known to be well again.

closed ──trip──▶ open ──`pause` seconds──▶ a probe in a thread ──▶ closed, or open again

The probe runs beside the callers, so only those who were waiting when the trouble began ever
wait for it; everybody else is told at once, also while the probe hangs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from asok.errors import Unavailable

__all__ = ["Breaker"]

log = logging.getLogger("asok.redis")

_PAUSE: Final = 1.0


class Breaker:
    """`probe` raises `error` while the server is not well. `name` is for the log."""

    def __init__(
        self,
        name: str,
        probe: Callable[[], None],
        *,
        pause: float = _PAUSE,
        error: type[Unavailable] = Unavailable,
    ) -> None:
        self.name = name
        self.pause = pause
        self._error = error
        self.open = False
        self._reason = ""
        self._probe = probe
        self._next = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def renew(self) -> None:
        """After a fork: the probe's thread exists in the parent only."""
        self._lock = threading.Lock()
        self._thread = None

    def check(self) -> None:
        """Raise `error` at once while it is open; start a probe where one is due."""
        if not self.open:
            return
        if monotonic() >= self._next:
            self._start_probe()
        raise self._error(f"{self.name} had trouble a moment ago: {self._reason}")

    def trip(self, reason: str) -> None:
        """Open it."""
        with self._lock:
            was_open, self.open = self.open, True
            self._reason = reason
            self._next = monotonic() + self.pause
        if not was_open:
            log.warning("%s is left alone until it answers again: %s", self.name, reason)

    def _start_probe(self) -> None:
        with self._lock:
            if monotonic() < self._next or (self._thread and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._try, name="asok-redis-probe", daemon=True)
            self._thread.start()

    def _try(self) -> None:
        try:
            self._probe()
        except Unavailable as error:
            self.trip(str(error))
        else:
            self.open = False
            log.warning("%s answers again", self.name)

    def wait(self) -> None:
        """Wait for the probe that is running."""
        thread = self._thread
        if thread is not None:
            thread.join()
