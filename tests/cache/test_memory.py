"""The memory store: the contract, its bounds, its clock, and forks."""

from __future__ import annotations

import os
import threading
import time

import pytest

from asok import forked
from asok.cache import Cache
from asok.cache.memory import MemoryStore
from asok.testing.stores import CacheContract
from asok.testing.stores.asking import together, value_of

from .contract import StoreContract
from .places import MemoryPlace


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> MemoryPlace:
    return MemoryPlace(monkeypatch)


class TestMemoryStore(StoreContract):
    pass


class TestMemoryCache(CacheContract):
    pass


def test_the_least_recently_used_entry_leaves_first() -> None:
    store = MemoryStore(max_entries=3)
    for key in "abc":
        store.set(key, key, ttl=60)
    store.get("a")
    store.set("d", "d", ttl=60)
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]
    assert len(store) == 3


def test_what_was_set_last_is_always_there() -> None:
    store = MemoryStore(max_entries=100)
    for number in range(1000):
        store.set(str(number), number, ttl=60)
    assert all(value_of(store, str(number)) == number for number in range(900, 1000))


def test_bytes_are_bounded_and_given_back() -> None:
    store = MemoryStore(max_bytes=100_000)
    for number in range(100):
        store.set(str(number), "x" * 5000, ttl=60)
        assert store.size <= 100_000
    assert 10 < len(store) < 20
    for number in range(100):
        store.delete(str(number))
    assert (len(store), store.size) == (0, 0)


def test_every_way_of_writing_keeps_the_account() -> None:
    store = MemoryStore()
    store.set("a", {"x": [1]}, ttl=60)
    store.set("a", "smaller", ttl=60)
    store.add("n", 1, ttl=60)
    store.incr("n", 5, ttl=60)
    store.touch("a", 30)
    for key in "an":
        store.delete(key)
    assert store.size == 0


def test_a_value_that_would_push_out_the_others_is_not_stored() -> None:
    store = MemoryStore(max_bytes=80_000)
    store.set("other", 1, ttl=60)
    store.set("key", "old", ttl=60)
    assert not store.set("key", "x" * 10_001, ttl=60)
    assert store.get("key") is None, "an old value in place of a new one would be wrong"
    assert not store.add("key", "x" * 10_001, ttl=60)
    assert store.get("other") is not None


def test_the_wall_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    store.set("key", 1, ttl=60)
    for day in (-86400, 86400):
        monkeypatch.setattr(time, "time", lambda day=day: time.time_ns() / 1e9 + day)
        assert value_of(store, "key") == 1


def test_a_reader_of_an_expired_entry_does_not_remove_a_fresh_one(place: MemoryPlace) -> None:
    store = place.open()
    assert isinstance(store, MemoryStore)
    store.set("key", "old", ttl=1)
    place.let_pass(2)
    old = store._data["key"]  # pyright: ignore[reportPrivateUsage]
    store.set("key", "fresh", ttl=60)
    assert store._late("key", old) is None  # pyright: ignore[reportPrivateUsage]
    assert value_of(store, "key") == "fresh"


def test_an_entry_removed_while_it_is_read_is_still_an_answer() -> None:
    store = MemoryStore()
    store.set("key", 1, ttl=60)
    entry = store._data["key"]  # pyright: ignore[reportPrivateUsage]

    class Racing(dict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            return entry

        def move_to_end(self, key: str) -> None:
            raise KeyError(key)

    store._data = Racing()  # type: ignore[assignment]  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    assert store.get("key") is entry


def test_threads_leave_the_account_right() -> None:
    store = MemoryStore(max_entries=50)

    def work() -> None:
        for number in range(300):
            key = str(number % 80)
            store.set(key, [number], ttl=60)
            store.get(key)
            if number % 7 == 0:
                store.delete(key)

    together(6, work)
    assert len(store) <= 50
    store.clear()
    assert store.size == 0


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # since 3.12
def test_a_forked_child_is_never_stuck(busy: bool) -> None:
    """A lock that another thread held at the fork is never released in the child."""
    store = MemoryStore()
    store.set("key", 1, ttl=60)
    lease = store.lease("key")
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store._lock:  # pyright: ignore[reportPrivateUsage]
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    if busy:
        thread.start()
        entered.wait(30)
    child = os.fork()
    if not child:
        kept = value_of(store, "key") == ("nothing" if busy else 1)
        works = store.set("other", 1, ttl=60) and store.lease("key") is not None
        os._exit(0 if kept and works else 1)
    _, status = os.waitpid(child, 0)
    if busy:
        leave.set()
        thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert lease is not None
    assert value_of(store, "key") == 1


def test_a_new_process_renews_what_still_lives() -> None:
    """What a fork calls in the child, called here: locks, leases and threads are new."""
    cache = Cache()
    cache.set("key", 1)
    lease = cache.store.lease("key")
    assert lease is not None
    forked._renew_all()  # pyright: ignore[reportPrivateUsage]
    assert cache.get("key") == 1
    assert cache.store.lease("key") is not None
    store = MemoryStore()
    store.set("key", 1, ttl=60)
    with store._lock:  # pyright: ignore[reportPrivateUsage]
        store.renew()
    assert (len(store), store.size) == (0, 0)
