"""What a cache does about a store that fails: one log line now and then, and a miss."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

from asok.cache.counters import Counters
from asok.errors import CacheUnavailable

__all__ = ["Trouble"]

log = logging.getLogger("asok.cache")

#: Seconds between two log lines about the same cache.
_PAUSE: Final = 10.0


class Trouble:
    """Counts and logs what goes wrong with a store."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._next = 0.0
        self._unsaid = 0

    def note(self, error: CacheUnavailable) -> None:
        """Count a failure; log it, or the number of those that were not logged."""
        self._counters.errors += 1
        now = monotonic()
        if now < self._next:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more since the last line)" if self._unsaid else ""
        self._next, self._unsaid = now + _PAUSE, 0
        log.warning("the cache counts as empty for this call: %s%s", error, more)
