"""A bounded place in memory for what was read from a store, in front of every look-up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Front"]

T = TypeVar("T")


class Front(Generic[T]):
    """Values by path, at most `limit` bytes of them (as `size` counts).

    A hit is one dictionary look-up without a lock: instead of moving an entry to the front
    of a queue it is marked as used, and eviction gives marked entries a second round (the
    clock algorithm).
    """

    def __init__(self, limit: int, size: Callable[[T], int]) -> None:
        self.limit = limit
        self.bytes = 0
        self._size = size
        self._slots: dict[str, _Slot[T]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._slots)

    def get(self, path: str) -> T | None:
        """Return the value of `path`, or None."""
        slot = self._slots.get(path)
        if slot is None:
            return None
        slot.used = True
        return slot.value

    def put(self, path: str, value: T) -> None:
        """Keep `value`, letting others go until everything fits. Larger than all: not kept."""
        size = self._size(value) + len(path) + 200
        with self._lock:
            self._drop(path)
            if size > self.limit:
                return
            while self.bytes + size > self.limit:
                self._evict()
            self._slots[path] = _Slot(value, size)
            self.bytes += size

    def drop(self, path: str) -> None:
        """Forget the value of `path`."""
        with self._lock:
            self._drop(path)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._slots.clear()
            self.bytes = 0

    def _drop(self, path: str) -> None:
        slot = self._slots.pop(path, None)
        if slot is not None:
            self.bytes -= slot.size

    def _evict(self) -> None:
        path = next(iter(self._slots))
        slot = self._slots[path]
        if not slot.used:
            self._drop(path)
            return
        slot.used = False
        self._slots[path] = self._slots.pop(path)


class _Slot(Generic[T]):
    __slots__ = ("size", "used", "value")

    def __init__(self, value: T, size: int) -> None:
        self.value = value
        self.size = size
        self.used = False
