"""Computing anew what is old, in the background or by who asks, and what a failure of that means.

At most eight at a time in the background, one a key, and none of a key for a second after it
failed. Whatever is not begun here is begun by a later caller, who gets the old value too.
"""

from __future__ import annotations

import logging
import threading
from time import monotonic
from types import TracebackType
from typing import Final

from asok.cache.remember import Plan, Remember
from asok.errors import CacheError
from asok.forked import renew_in_children

__all__ = ["Refreshes"]

log = logging.getLogger("asok.cache")

_TOGETHER: Final = 8
#: Seconds that a key rests after its computation failed, and how many such keys are kept.
_REST: Final = 1.0
_RESTING: Final = 1000


class Rescue:
    """A `with` block whose failure is logged and passed over: the last good value follows it.

    What the caller did wrong (`CacheError`) is raised as ever.
    """

    def __init__(self, refreshes: Refreshes, key: str) -> None:
        self._refreshes = refreshes
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception) or isinstance(error, CacheError):
            return False
        self._refreshes.failed(self._key, error)
        return True


class Refreshes:
    """The computations of one region in place of old values, and which of them failed."""

    def __init__(self, remember: Remember) -> None:
        self._remember = remember
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """After a fork: those that were running run in the parent."""
        self._running: set[str] = set()
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()

    def resting(self, key: str) -> bool:
        """Whether computing `key` failed a moment ago."""
        return monotonic() < self._failed.get(key, 0.0)

    def rescue(self, key: str) -> Rescue:
        """A `with` block in which a caller computes `key` and an old value can stand in."""
        return Rescue(self, key)

    def begin(self, key: str) -> bool:
        """Whether the caller is to refresh `key`, and to call `end` after that."""
        with self._lock:
            if key in self._running or len(self._running) >= _TOGETHER or self.resting(key):
                return False
            self._running.add(key)
            return True

    def end(self, key: str, failure: Exception | None) -> None:
        """Say how it went. A failure is logged, and the stale value stays until its end."""
        if failure is not None:
            self.failed(key, failure)
        with self._lock:
            self._running.discard(key)
            if failure is None:
                self._failed.pop(key, None)

    def failed(self, key: str, failure: Exception) -> None:
        """Let a key rest; log the failure once, however many waited for the same computation."""
        with self._lock:
            if self.resting(key):
                return
            if len(self._failed) >= _RESTING:
                self._failed.clear()
            self._failed[key] = monotonic() + _REST
        log.error("%r could not be computed anew and stays stale", key, exc_info=failure)

    def start(self, key: str, plan: Plan, left: float = 0.0) -> None:
        """Refresh `key` in a thread, which sees nothing of the caller's context variables.

        Not where another process has by then: a value with more than `left` seconds to live.
        """
        if self.begin(key):
            run = threading.Thread(
                target=self._run, args=(key, plan, left), name="asok-cache-refresh", daemon=True
            )
            run.start()

    def _run(self, key: str, plan: Plan, left: float) -> None:
        failure: Exception | None = None
        try:
            lease = self._remember.attempt(key)
            if lease is not None:
                entry = self._remember.find(key)
                if entry is not None and entry.fresh and entry.left > left:
                    lease.release()  # another process was faster
                else:
                    self._remember.compute(key, plan, lease)
        except Exception as error:  # noqa: BLE001  the boundary of a thread: `end` logs it
            failure = error
        self.end(key, failure)
