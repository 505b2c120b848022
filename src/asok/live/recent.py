"""The broadcasts of the last minute, for components whose browser was away when they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from asok.live.memo import Memo

if TYPE_CHECKING:
    from asok.live.broadcasting import Event

__all__ = ["Recent"]

#: Bytes that an event takes beside what it sends, about.
_EACH: Final = 512
#: Stands for what was rendered for an event, which may be a page for each of thousands: it is
#: not kept with the event.
_NOTHING: Final = Memo()


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
        """Keep an event that came just now and sends `size` bytes."""
        kept, size = replace(event, memo=_NOTHING), size + _EACH
        with self._lock:
            self._events.append((kept, size))
            self._size += size
            oldest = event.at - self._seconds
            while self._events and (self._size > self._limit or self._events[0][0].at < oldest):
                self._size -= self._events.popleft()[1]

    def since(self, moment: float, topics: Collection[str]) -> list[Event]:
        """Return the events on these topics that came at `moment` or later, in their order."""
        with self._lock:
            found = [
                event for event, _ in self._events if event.at >= moment and event.topic in topics
            ]
        return [replace(event, memo=Memo()) for event in found]
