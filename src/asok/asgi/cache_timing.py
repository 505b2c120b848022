"""`Server-Timing` while developing: how often a request asked the cache, and what it got.

Browsers show it in the timing of a request. The numbers are those of the process, so what
another request did meanwhile is counted, too.
"""

from __future__ import annotations

from asok.cache import Cache

__all__ = ["CacheTiming"]

_SHOWN = ("hits", "stale", "misses", "errors")


class CacheTiming:
    """What the cache was asked since this was made."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._before = cache.counters.to_dict()

    def header(self) -> tuple[bytes, bytes] | None:
        """Return the header, None where nothing was asked."""
        now = self._cache.counters.to_dict()
        counted = {name: now[name] - self._before[name] for name in _SHOWN}
        told = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
        return (b"server-timing", f'cache;desc="{told}"'.encode()) if told else None
