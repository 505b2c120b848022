"""Paths that answered 404 shortly ago: a small, bounded memory that no disk ever sees."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import NamedTuple

from asok.pages.store import Ticket

__all__ = ["Gone", "GoneMemory"]


class Gone(NamedTuple):
    """That a render which began with `ticket` answered 404, to be believed `until` then.

    `tags` are those that the page named before it answered; an invalidation of one ends it.
    """

    until: float
    ticket: Ticket
    tags: tuple[str, ...] = ()


class GoneMemory:
    """Remembers at most `limit` paths for `seconds` each.

    Kept is a digest, not the path: a long address takes no more room than a short one.
    """

    def __init__(self, *, seconds: float, limit: int) -> None:
        self.seconds = seconds
        self.limit = limit
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Gone] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, path: str, now: float, ticket: Ticket, tags: tuple[str, ...] = ()) -> None:
        """Remember that `path` answered 404 at `now` to the render of `ticket`."""
        key = _key(path)
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = Gone(now + self.seconds, ticket, tags)
            while len(self._known) > self.limit:
                self._known.popitem(last=False)

    def get(self, path: str) -> Gone | None:
        """Return what is remembered of `path`, or None."""
        return self._known.get(_key(path)) if self._known else None

    def forget(self, path: str) -> None:
        """Forget `path`."""
        with self._lock:
            self._known.pop(_key(path), None)


def _key(path: str) -> bytes:
    return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=12).digest()
