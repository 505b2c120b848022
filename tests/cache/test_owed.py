"""A store in trouble is told later what was to go."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from asok.cache import Cache, owed
from asok.cache.memory import MemoryStore
from asok.errors import CacheUnavailable
from asok.testing.stores.asking import eventually


class Away(MemoryStore):
    """A store that takes no removal while it is `away`."""

    away = False

    def __init__(self) -> None:
        super().__init__()
        self.refused = threading.Semaphore(0)

    def _check(self) -> None:
        if self.away:
            self.refused.release()
            raise CacheUnavailable("gone fishing")

    def delete_many(self, keys: Sequence[str]) -> int:
        self._check()
        return super().delete_many(keys)

    def clear(self) -> None:
        self._check()
        super().clear()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Away:
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    return Away()


@pytest.mark.parametrize("purge", ["forget", "forget_many", "forget_tags", "flush"])
def test_what_was_to_go_goes_when_the_store_is_back(store: Away, purge: str) -> None:
    cache = Cache(store)
    cache.set("key", "old", tags=["tag"])
    store.away = True
    arguments = {"forget": ["key"], "forget_many": [["key"]], "forget_tags": ["tag"]}
    for _ in range(2):
        getattr(cache, purge)(*arguments.get(purge, []))
    for _ in range(4):
        assert store.refused.acquire(timeout=30)
    assert cache.get("key") == "old", "it was not told yet"
    assert cache.counters.errors == 2, "what is tried again is no more trouble"
    store.away = False
    eventually(lambda: not cache.has("key"))
    cache.set("key", "new")
    store.away = True
    cache.forget("key")
    store.away = False
    eventually(lambda: not cache.has("key"), what="a second time")


def test_after_too_many_everything_goes(store: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "MOST", 10)
    cache = Cache(store)
    cache.set_many({"other": 1, "key": 1})
    store.away = True
    for number in range(12):
        cache.forget(f"key{number}")
    store.away = False
    eventually(lambda: not cache.has("other"))


def test_a_forked_worker_owes_nothing(store: Away) -> None:
    made = owed.Owed(store.clear)
    store.away = True
    made.add(store.clear)
    assert store.refused.acquire(timeout=30)
    eventually(lambda: len(made) == 1)
    store.away = False
    eventually(lambda: not len(made))
    made.add(store.clear)
    made.renew()
    assert not len(made)
