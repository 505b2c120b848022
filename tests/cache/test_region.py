"""A region over stores that fail, wait, or are in the middle of something."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from asok.cache import Cache, Computed, remember, remember_async
from asok.cache.api import Entry, Lease, Tags
from asok.cache.file import FileStore
from asok.cache.memory import MemoryStore
from asok.cache.tags import tokens
from asok.errors import CacheKeyError, CacheUnavailable
from asok.testing.stores.asking import eventually, together


class Failing(MemoryStore):
    """A store whose calls fail where their name is in `broken`."""

    def __init__(self, *broken: str) -> None:
        super().__init__()
        self.broken = set(broken)

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise CacheUnavailable(f"{name} does not work")

    def get(self, key: str) -> Entry | None:
        self._check("get")
        return super().get(key)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        self._check("get_many")
        return super().get_many(keys)

    def set(
        self,
        key: str,
        value: Any,
        *,
        ttl: float | None,
        stale: float = 0.0,
        tags: Tags = (),
        cost: float = 0.0,
        lease: Lease | None = None,
    ) -> bool:
        self._check("set")
        return super().set(key, value, ttl=ttl, stale=stale, tags=tags, cost=cost, lease=lease)

    def set_many(self, values: Mapping[str, Any], *, ttl: float | None, tags: Tags = ()) -> int:
        self._check("set_many")
        return super().set_many(values, ttl=ttl, tags=tags)

    def delete_many(self, keys: Sequence[str]) -> int:
        self._check("delete_many")
        return super().delete_many(keys)

    def lease(self, key: str) -> Lease | None:
        self._check("lease")
        return super().lease(key)


class Elsewhere(Failing):
    """A store whose calls are made in threads, as for a disk or a network."""

    blocking = True


@pytest.mark.parametrize("broken", [("get",), ("get_many",), ("set",), ("lease",)])
@pytest.mark.parametrize("make", [Failing, Elsewhere])
def test_a_failing_store_costs_a_miss_and_never_the_value(
    make: type[Failing], broken: tuple[str, ...]
) -> None:
    cache = Cache(make(*broken))
    for _ in range(2):
        assert cache.remember("key", 60, lambda: [1], stale=5, tags=["t"]) == [1]
        assert asyncio.run(cache.aremember("other", 60, lambda: [1], tags=["t"])) == [1]
    assert cache.counters.errors


def test_trouble_is_logged_once_in_a_while_with_what_was_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("asok.cache.trouble.monotonic", lambda: now)
    cache = Cache(Failing("get"))
    for _ in range(5):
        cache.get("key")
    assert len(caplog.records) == 1
    now = 11.0
    cache.get("key")
    assert caplog.records[1].getMessage().endswith("(and 4 more since the last line)")


def test_a_type_error_of_the_store_itself_is_not_hidden() -> None:
    class Wrong(MemoryStore):
        def get(self, key: str) -> Entry | None:
            raise TypeError("a mistake in the store")

    with pytest.raises(TypeError, match="a mistake"):
        Cache(Wrong()).get("key")
    with pytest.raises(CacheKeyError):
        Cache().get(["not hashable"])  # type: ignore[arg-type]  # pyright: ignore


def test_nobody_waits_for_ever_for_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "PATIENCE", 0.05)
    monkeypatch.setattr(remember_async, "PATIENCE", 0.05)
    store = MemoryStore()
    cache = Cache(store)
    assert store.lease("key") is not None
    assert cache.remember("key", 60, lambda: "computed") == "computed"
    assert cache.get("key") == "computed"
    assert store.lease("other") is not None
    assert asyncio.run(cache.aremember("other", 60, lambda: "computed")) == "computed"


@pytest.mark.parametrize("store", [MemoryStore, Elsewhere])
def test_the_result_of_a_holder_that_hung_is_not_stored(
    store: type[MemoryStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remember, "PATIENCE", 0.05)
    cache = Cache(store())
    hung = cache.store.lease("key")
    assert cache.remember("key", 60, lambda: "computed") == "computed"
    assert not cache.store.set("key", "at last", ttl=60, lease=hung)
    assert cache.get("key") == "computed"


def test_trouble_while_a_lease_is_taken_over_is_a_computed_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ailing(MemoryStore):
        def delete(self, key: str) -> bool:
            raise CacheUnavailable("delete does not work")

    monkeypatch.setattr(remember, "PATIENCE", 0.0)
    cache = Cache(Ailing())
    assert cache.store.lease("key") is not None
    assert cache.remember("key", 60, lambda: "computed") == "computed"
    assert not cache.has("key")


def test_a_value_is_never_stored_without_a_lease() -> None:
    """Nobody could tell whether it was purged since its computation began."""
    cache = Cache(Failing("lease"))

    def compute() -> str:
        cache.forget("key")
        return "old"

    assert cache.remember("key", 60, compute) == "old"
    assert not cache.has("key")

    async def on_the_loop() -> None:
        calm = Cache()
        assert calm.store.lease("key") is not None
        assert calm.remember("key", 60, lambda: "at once") == "at once"
        assert not calm.has("key")

    asyncio.run(on_the_loop())


def test_threads_lose_no_count() -> None:
    cache = Cache()
    cache.set("key", 1)

    def ask() -> None:
        for _ in range(5000):
            cache.get("key")
            cache.get("none")

    together(4, ask)
    assert cache.stats()["hits"] == cache.stats()["misses"] == 20_000


def test_a_value_that_is_too_large_is_returned_but_not_stored(tmp_path: Path) -> None:
    for store in (MemoryStore(max_bytes=80_000), FileStore(tmp_path, max_bytes=80_000)):
        cache = Cache(store)
        assert cache.remember("key", 60, lambda: "x" * 20_000) == "x" * 20_000
        assert not cache.has("key")


@pytest.mark.parametrize("use_async", [False, True])
def test_another_process_result_is_taken_when_it_comes(use_async: bool) -> None:
    store = Elsewhere()
    cache = Cache(store)
    lease = store.lease("key")
    threading.Timer(0.05, lambda: store.set("key", "theirs", ttl=60, lease=lease)).start()
    if use_async:
        assert asyncio.run(cache.aremember("key", 60, lambda: "ours")) == "theirs"
    else:
        assert cache.remember("key", 60, lambda: "ours") == "theirs"


@pytest.mark.parametrize("use_async", [False, True])
def test_a_value_that_came_while_the_lease_was_taken_is_used(use_async: bool) -> None:
    class Late(Elsewhere):
        def lease(self, key: str) -> Lease | None:
            if not self.broken:
                self.broken = {"nothing"}
                self.set(key, "theirs", ttl=60)
            return super().lease(key)

    cache = Cache(Late())
    if use_async:
        assert asyncio.run(cache.aremember("key", 60, lambda: "ours")) == "theirs"
    else:
        assert cache.remember("key", 60, lambda: "ours") == "theirs"
    eventually(lambda: cache.store.lease("key") is not None, what="giving the lease back")


@pytest.mark.parametrize("use_async", [False, True])
def test_a_refresh_that_another_process_did_is_not_done_again(
    use_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Faster(MemoryStore):
        """Another process refreshes between the look and the lease."""

        def lease(self, key: str) -> Lease | None:
            if self.armed:
                self.set(key, "theirs", ttl=60)
            return super().lease(key)

        armed = False

    store = Faster()
    cache = Cache(store)
    store.set("key", "old", ttl=0.000001, stale=60)
    store.armed = True
    calls: list[int] = []

    def ours() -> str:
        calls.append(1)
        return "ours"

    async def ask() -> Any:
        found = await cache.aremember("key", 60, ours, stale=60)
        await asyncio.sleep(0.05)
        return found

    if use_async:
        assert asyncio.run(ask()) == "old"
    else:
        assert cache.remember("key", 60, ours, stale=60) == "old"
    eventually(lambda: cache.get("key") == "theirs")
    assert not calls


def test_refreshes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asok.cache.refresh._TOGETHER", 2)
    monkeypatch.setattr("asok.cache.refresh._RESTING", 1)
    store = MemoryStore()
    cache = Cache(store)
    gate = threading.Event()
    started: list[str] = []

    def slow(key: str) -> Callable[[], str]:
        def compute() -> str:
            started.append(key)
            gate.wait(30)
            raise LookupError(key)

        return compute

    for key in "abcd":
        store.set(key, "old", ttl=0.000001, stale=60)
        assert cache.remember(key, 60, slow(key), stale=60) == "old"
    eventually(lambda: len(started) == 2)
    gate.set()
    refreshes = cache._serving._refreshes  # pyright: ignore[reportPrivateUsage]
    eventually(lambda: not refreshes._running)  # pyright: ignore[reportPrivateUsage]
    assert sorted(started) == ["a", "b"]
    assert len(refreshes._failed) == 1  # pyright: ignore[reportPrivateUsage]


def test_a_lease_taken_for_a_cancelled_task_is_given_back() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(Elsewhere):
        def lease(self, key: str) -> Lease | None:
            entered.set()
            leave.wait(30)
            return super().lease(key)

    store = Slow()
    cache = Cache(store)

    async def use() -> None:
        task = asyncio.create_task(cache.aremember("key", 60, lambda: 1))
        while not entered.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        leave.set()
        while store._leases or not entered.is_set():  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(use(), 30))
    assert cache.remember("key", 60, lambda: 2) == 2


def test_a_lease_of_a_task_cancelled_while_it_looks_is_given_back() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(Elsewhere):
        looks = 0

        def get(self, key: str) -> Entry | None:
            self.looks += 1
            if self.looks == 2:
                entered.set()
                leave.wait(30)
            return super().get(key)

    store = Slow()
    cache = Cache(store)

    async def use() -> None:
        task = asyncio.create_task(cache.aremember("key", 60, lambda: 1))
        while not entered.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        while store._leases:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(use(), 30))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # since 3.12
def test_a_forked_child_computes_what_its_parent_was_computing() -> None:
    cache = Cache()
    entered, leave = threading.Event(), threading.Event()

    def slow() -> str:
        entered.set()
        leave.wait(30)
        return "parent's"

    thread = threading.Thread(target=lambda: cache.remember("key", 60, slow))
    thread.start()
    assert entered.wait(30)
    child = os.fork()
    if not child:
        os._exit(0 if cache.remember("key", 60, lambda: "child's") == "child's" else 1)
    _, status = os.waitpid(child, 0)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert cache.get("key") == "parent's"


def test_two_who_make_a_tag_at_once_agree() -> None:
    class Racing(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
            found = dict(super().get_many(keys))
            for key in keys:
                self.add(key, "theirs", ttl=None)
            return found

    assert tokens(Racing(), ["t"]) == (("t", "theirs"),)


def test_the_tags_of_a_computed_value_may_be_unknown_in_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    cache = Cache(Failing("get_many"))
    assert cache.remember("key", 60, lambda: Computed(1, tags=["t"])) == 1
    assert not cache.has("key"), "without its tags it could not be flushed"


def test_what_a_store_in_trouble_did_not_hear_is_told_later() -> None:
    class Deaf(Elsewhere):
        def incr(self, key: str, delta: int, *, ttl: float | None) -> int:
            self._check("incr")
            return super().incr(key, delta, ttl=ttl)

    store = Deaf("incr")
    cache = Cache(store)
    cache.get("none")
    cache.start()
    cache.close()
    assert cache.totals()["misses"] == 0
    assert cache.stats()["errors"] == 1
    store.broken.clear()
    cache.start()
    cache.close()
    assert (cache.totals()["misses"], cache.totals()["errors"]) == (1, 1)
