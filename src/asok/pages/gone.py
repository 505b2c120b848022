"""Paths that answered 404 shortly ago: a small, bounded memory that no disk ever sees."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

__all__ = ["GoneMemory"]


class GoneMemory:
    """Remembers at most `limit` paths for `seconds` each.

    Kept is a digest, not the path: a long address takes no more room than a short one. An
    entry counts for one generation of the page, so that `revalidate_path` ends it in every
    worker.
    """

    def __init__(self, *, seconds: float, limit: int) -> None:
        self.seconds = seconds
        self.limit = limit
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def add(self, path: str, now: float, generation: int) -> None:
        """Remember that `path` answered 404 at `now`."""
        key = _key(path)
        with self._lock:
            self._until.pop(key, None)
            self._until[key] = (now + self.seconds, generation)
            while len(self._until) > self.limit:
                self._until.popitem(last=False)

    def until(self, path: str, generation: int) -> float | None:
        """Return until when `path` is remembered, or None."""
        if not self._until:
            return None
        found = self._until.get(_key(path))
        return found[0] if found is not None and found[1] == generation else None

    def forget(self, path: str) -> None:
        """Forget `path`."""
        with self._lock:
            self._until.pop(_key(path), None)


def _key(path: str) -> bytes:
    return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=12).digest()
