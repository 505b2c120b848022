"""Where sessions are kept: the port, and a store in memory.

A session is a JSON object. Stores merge changed keys instead of replacing the whole, so
that a request and a live component that write at the same time do not undo each other,
and they update only what is still there, so that nothing revives a session that was
logged out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["MemorySessionStore", "SessionStore", "StoredSession", "expiry"]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as a store holds it; `created` and `expires` are seconds of the Unix clock."""

    data: dict[str, Any]
    created: float
    expires: float


class SessionStore(Protocol):
    """Keeps sessions by id. Ids are random text; stores never see what they mean."""

    blocking: bool
    """Whether a call may wait for the network, so that it must leave the event loop."""
    idle: float
    """Seconds after its last use at which a session ends."""

    def load(self, session_id: str) -> StoredSession | None:
        """Return a session that has not expired, or None."""
        ...

    def create(self, session_id: str, data: Mapping[str, Any]) -> None:
        """Store a new session; one that was made for the id meanwhile gets these keys too."""
        ...

    def merge(self, session_id: str, changed: Mapping[str, Any], removed: Collection[str]) -> bool:
        """Change single keys and prolong the session; False where it no longer exists."""
        ...

    def delete(self, session_id: str) -> None:
        """Forget a session; one that does not exist is no error."""
        ...

    def close(self) -> None:
        """Free connections; idempotent."""
        ...


def expiry(created: float, now: float, *, idle: float, absolute: float) -> float:
    """When a session that is used `now` ends: `idle` seconds on, `absolute` at the most."""
    return min(now + idle, created + absolute)


class MemorySessionStore:
    """Sessions of one process: for tests and single-process development."""

    blocking = False

    def __init__(self, *, idle: float = 86_400, absolute: float = 30 * 86_400) -> None:
        self.idle = idle
        self._absolute = absolute
        self._lock = threading.Lock()
        self._sessions: dict[str, StoredSession] = {}

    def load(self, session_id: str) -> StoredSession | None:
        with self._lock:
            found = self._sessions.get(session_id)
            if found is None:
                return None
            if found.expires <= time.time():
                del self._sessions[session_id]
                return None
            return StoredSession(deepcopy(found.data), found.created, found.expires)

    def create(self, session_id: str, data: Mapping[str, Any]) -> None:
        now = time.time()
        ends = expiry(now, now, idle=self.idle, absolute=self._absolute)
        with self._lock:
            for key in [key for key, one in self._sessions.items() if one.expires <= now]:
                del self._sessions[key]
            # Two first requests of a visitor: the second must not undo what the first wrote.
            found = self._sessions.get(session_id, StoredSession({}, now, ends))
            merged = {**found.data, **deepcopy(dict(data))}
            self._sessions[session_id] = StoredSession(merged, found.created, ends)

    def merge(self, session_id: str, changed: Mapping[str, Any], removed: Collection[str]) -> bool:
        now = time.time()
        with self._lock:
            found = self._sessions.get(session_id)
            if found is None or found.expires <= now:
                return False
            data = {key: value for key, value in found.data.items() if key not in removed}
            ends = expiry(found.created, now, idle=self.idle, absolute=self._absolute)
            self._sessions[session_id] = StoredSession(
                {**data, **deepcopy(dict(changed))}, found.created, ends
            )
            return True

    def delete(self, session_id: str) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def close(self) -> None:
        """Nothing to free."""
