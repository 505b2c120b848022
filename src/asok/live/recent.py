"""The broadcasts of the last minute, for components whose browser was away when they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asok.live.broadcasting import Event

__all__ = ["Recent"]


class Recent:
    """What this worker heard, for `seconds` and of at most `limit` bytes. Safe for threads."""

    def __init__(self, *, seconds: float, limit: int) -> None:
        self._seconds = seconds
        self._limit = limit
        self._size = 0
        self._lock = threading.Lock()
        self._events: deque[tuple[Event, int]] = deque()

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event, size: int) -> None:
        """Keep an event of `size` bytes that came just now."""
        with self._lock:
            self._events.append((event, size))
            self._size += size
            oldest = event.at - self._seconds
            while self._events and (self._size > self._limit or self._events[0][0].at < oldest):
                self._size -= self._events.popleft()[1]

    def since(self, moment: float, topics: Collection[str]) -> list[Event]:
        """Return the events on these topics that came at `moment` or later, in their order."""
        with self._lock:
            return [
                event for event, _ in self._events if event.at >= moment and event.topic in topics
            ]
