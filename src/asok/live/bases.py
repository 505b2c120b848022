"""The HTML that browsers show now, kept so that only differences are sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

__all__ = ["Bases"]


class Bases:
    """The last HTML sent for each key, least recently used first out, at most `limit` bytes.

    What was pushed out costs the next answer its brevity, nothing else. Safe for threads.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[float, str]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes that are kept, about: characters count as one, or as many as they are wide."""
        return self._size

    def get(self, key: Hashable) -> tuple[float, str] | None:
        """Return (version, html), or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, version: float, html: str) -> tuple[float, str] | None:
        """Keep `html` as `version`, and return what was kept before."""
        size = _size(html)
        with self._lock:
            before = self._take(key)
            if size <= self._limit:
                self._kept[key] = (version, html)
                self._size += size
                while self._size > self._limit:
                    _, (_, gone) = self._kept.popitem(last=False)
                    self._size -= _size(gone)
            return before

    def drop(self, key: Hashable) -> None:
        """Forget one."""
        with self._lock:
            self._take(key)

    def _take(self, key: Hashable) -> tuple[float, str] | None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._size -= _size(found[1])
        return found


def _size(html: str) -> int:
    return html.__sizeof__()
