"""Where the contract runs: a place gives stores, and can let time pass for them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any, Protocol

import pytest
import redis

from asok.cache import clock, memory
from asok.cache.api import Store
from asok.cache.file import FileStore
from asok.cache.memory import MemoryStore
from asok.cache.redis import RedisStore

__all__ = ["FilePlace", "MemoryPlace", "Place", "RedisPlace"]

_numbers = itertools.count()


class Place(Protocol):
    """Something that stores are opened on."""

    #: Whether a second store on it sees what the first one stored.
    shared: bool

    def open(self, **options: Any) -> Store:
        """A store; on a shared place each is another client of the same entries."""
        ...

    def let_pass(self, seconds: float) -> None:
        """Make everything stored so far `seconds` older."""
        ...


class MemoryPlace:
    shared = False

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._later = 0.0

    def open(self, **options: Any) -> Store:
        return MemoryStore(**options)

    def let_pass(self, seconds: float) -> None:
        self._later += seconds
        self._monkeypatch.setattr(memory, "monotonic", lambda: time.monotonic() + self._later)


class FilePlace:
    shared = True

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._real = clock.wall, clock.running
        self._later = 0.0

    def open(self, **options: Any) -> FileStore:
        return FileStore(self.folder, **options)

    def let_pass(self, seconds: float) -> None:
        self._later += seconds
        wall, running = self._real
        self._monkeypatch.setattr(clock, "wall", lambda: wall() + self._later)
        self._monkeypatch.setattr(clock, "running", lambda: running() + self._later)


class RedisPlace:
    shared = True

    def __init__(self, url: str) -> None:
        self.url = url
        self.space = f"asok:test-{next(_numbers)}:"
        self.client: Any = redis.Redis.from_url(url)
        self._opened: list[RedisStore] = []

    def open(self, **options: Any) -> RedisStore:
        store = RedisStore(self.url, space=self.space, **options)
        self._opened.append(store)
        return store

    def let_pass(self, seconds: float) -> None:
        for name in self.client.keys(f"{self.space}*"):
            left = self.client.pttl(name)
            if left >= 0 and left <= seconds * 1000:
                self.client.delete(name)
            elif left >= 0:
                self.client.pexpire(name, left - int(seconds * 1000))

    def close(self) -> None:
        for store in self._opened:
            store.close()
        self.client.close()
