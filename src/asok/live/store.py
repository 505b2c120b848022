"""Where live state is kept: the port, its row, and a store in memory.

One row per component of a session. Every write names the revision that it replaces, so that
a worker that lost its turn (it was stopped, or cut off) changes nothing any more; and a
session that was dropped takes no row again, so that a call in flight does not revive it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import msgspec

__all__ = ["DROPPED_SECONDS", "Lease", "LiveStore", "MemoryLiveStore", "Row"]

#: Seconds for which a dropped session is remembered, so that nothing writes for it again.
DROPPED_SECONDS: Final = 86_400.0


class Row(msgspec.Struct, frozen=True):
    """What is kept of one component of one session.

    `state` is JSON; `version` the number of calls that were done; `schema` and `props` say for
    which fields and constructor's values; `tabs` holds for each page view the last sequence
    number that was started and the last that was done, and for each publisher of events the
    last one and which of those before it were taken (`ledger.py`); `revision` grows with every
    write.
    """

    state: bytes
    version: int
    schema: str
    props: str
    revision: int
    tabs: Mapping[str, tuple[int, int]] = msgspec.field(default_factory=dict[str, tuple[int, int]])


class Lease(Protocol):
    """The turn of one call: nobody else holds it for this component until it is released."""

    def release(self) -> None:
        """End the turn; idempotent."""
        ...


class LiveStore(Protocol):
    """Keeps rows by owner (what stands for a session) and cid. Safe for threads and, but for
    the store in memory, for the workers of a site."""

    blocking: bool
    """Whether a call may wait for the network, so that it must leave the event loop."""
    shared: bool
    """Whether other processes see the same rows."""

    def load(self, owner: str, cid: str) -> Row | None:
        """Return a row that has not expired, or None."""
        ...

    def save(self, owner: str, cid: str, row: Row, *, replaces: int) -> bool:
        """Write `row` in place of revision `replaces` (0: in place of none), with its
        whole life before it. False, and nothing written, where another revision is there or the
        session was dropped."""
        ...

    def acquire(self, owner: str, cid: str) -> Lease | None:
        """Return the turn, or None at once while another call has it. A holder that was
        killed has lost it."""
        ...

    def touch(self, owner: str, cids: Iterable[str]) -> None:
        """Let these rows live for their whole time from now."""
        ...

    def drop(self, owner: str) -> None:
        """Remove all rows of a session for good: none is ever written for it again."""
        ...

    def move(self, owner: str, successor: str) -> None:
        """Give the rows of a session to another one, new and empty; the first is dropped."""
        ...

    def ended(self, owner: str) -> bool:
        """Whether a session was dropped: what its pages say of it counts no more."""
        ...

    def close(self) -> None:
        """Free connections; idempotent."""
        ...


class MemoryLiveStore:
    """State of one process: for tests and for a single worker. `seconds` is a row's life."""

    blocking = False
    shared = False

    def __init__(self, *, seconds: float = 3600.0, clock: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: dict[str, dict[str, tuple[Row, float]]] = {}
        self._dropped: dict[str, float] = {}
        self._held: set[tuple[str, str]] = set()
        self._pruned = clock()

    def load(self, owner: str, cid: str) -> Row | None:
        found = self._rows.get(owner, {}).get(cid)
        return found[0] if found is not None and found[1] > self._clock() else None

    def save(self, owner: str, cid: str, row: Row, *, replaces: int) -> bool:
        now = self._clock()
        with self._lock:
            if now - self._pruned > 60:
                self._prune(now)
            if owner in self._dropped:
                return False
            rows = self._rows.setdefault(owner, {})
            found = rows.get(cid)
            revision = found[0].revision if found is not None and found[1] > now else 0
            if revision != replaces:
                return False
            rows[cid] = (row, now + self._seconds)
            return True

    def acquire(self, owner: str, cid: str) -> Lease | None:
        key = (owner, cid)
        with self._lock:
            if key in self._held:
                return None
            self._held.add(key)
        return _Held(self._held, key)

    def touch(self, owner: str, cids: Iterable[str]) -> None:
        now = self._clock()
        with self._lock:
            rows = self._rows.get(owner, {})
            for cid in cids:
                found = rows.get(cid)
                if found is not None and found[1] > now:
                    rows[cid] = (found[0], now + self._seconds)

    def drop(self, owner: str) -> None:
        with self._lock:
            self._rows.pop(owner, None)
            self._dropped[owner] = self._clock() + DROPPED_SECONDS

    def move(self, owner: str, successor: str) -> None:
        with self._lock:
            rows = self._rows.pop(owner, None)
            if rows:
                self._rows[successor] = rows
            self._dropped[owner] = self._clock() + DROPPED_SECONDS

    def ended(self, owner: str) -> bool:
        return owner in self._dropped

    def close(self) -> None:
        """Nothing to free."""

    def _prune(self, now: float) -> None:
        self._pruned = now
        for owner, rows in list(self._rows.items()):
            for cid in [cid for cid, (_, expires) in rows.items() if expires <= now]:
                del rows[cid]
            if not rows:
                del self._rows[owner]
        for owner in [owner for owner, until in self._dropped.items() if until <= now]:
            del self._dropped[owner]


class _Held:
    """A turn in this process."""

    __slots__ = ("_held", "_key")

    def __init__(self, held: set[Any], key: tuple[str, str]) -> None:
        self._held = held
        self._key = key

    def release(self) -> None:
        self._held.discard(self._key)
