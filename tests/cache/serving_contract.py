"""What a region serves alike over every store: old values, coroutines, and what it counts."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from asok.cache import Cache, Computed
from asok.errors import CacheValueError

from .places import Place
from .region_contract import Counted, eventually

__all__ = ["ServingContract"]


class ServingContract:
    """A test module subclasses it, and has a fixture `place`."""

    @pytest.fixture
    def cache(self, place: Place) -> Cache:
        return Cache(place.open())

    # Stale values

    def test_a_stale_value_is_served_while_one_computes(self, cache: Cache, place: Place) -> None:
        assert cache.remember("key", 60, Counted("old"), stale=600) == "old"
        place.let_pass(61)
        assert cache.get("key", "miss") == "miss"
        assert not cache.has("key")
        slow = Counted("new")
        slow.gate.clear()
        results = [cache.remember("key", 60, slow, stale=600) for _ in range(20)]
        assert results == ["old"] * 20
        slow.gate.set()
        eventually(lambda: cache.get("key") == "new", what="the refresh")
        assert slow.calls == 1
        assert cache.counters.stale == 20

    def test_a_stale_value_is_computed_at_once_by_who_wants_none(
        self, cache: Cache, place: Place
    ) -> None:
        cache.remember("key", 60, Counted("old"), stale=600)
        place.let_pass(61)
        assert cache.remember("key", 60, Counted("new")) == "new"

    def test_a_failed_refresh_keeps_the_stale_value(
        self, cache: Cache, place: Place, caplog: pytest.LogCaptureFixture
    ) -> None:
        cache.remember("key", 60, Counted("old"), stale=600)
        place.let_pass(61)
        failing = Counted(LookupError("the database is away"))
        assert cache.remember("key", 60, failing, stale=600) == "old"
        eventually(lambda: "stays stale" in caplog.text, what="the log line")
        assert cache.remember("key", 60, failing, stale=600) == "old"
        assert failing.calls == 1, "it rests for a second after a failure"
        place.let_pass(600)
        with pytest.raises(LookupError):
            cache.remember("key", 60, failing, stale=600)

    @pytest.mark.parametrize("use_async", [False, True])
    def test_the_last_good_value_stands_in_for_an_error(
        self,
        cache: Cache,
        place: Place,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        use_async: bool,
    ) -> None:
        def ask(fn: Counted, **options: Any) -> Any:
            options = {"failsafe": 600, **options}
            if use_async:
                return asyncio.run(cache.aremember("key", 60, fn, **options))
            return cache.remember("key", 60, fn, **options)

        assert ask(Counted({"a": [1]}), stale=30) == {"a": [1]}
        place.let_pass(100)
        assert cache.get("key", "miss") == "miss"
        failing = Counted(LookupError("the service is away"))
        assert ask(failing, stale=30) == {"a": [1]}
        assert "the service is away" in caplog.text
        assert ask(failing) == {"a": [1]}
        assert failing.calls == 1, "it rests for a second after a failure"
        assert cache.stats()["stale"] == 2
        monkeypatch.setattr("asok.cache.refresh._REST", -1)
        monkeypatch.setattr("asok.cache.refresh.monotonic", lambda: time.monotonic() + 2)
        with pytest.raises(CacheValueError):  # a mistake of the caller is none of the service
            ask(Counted(object()))
        with pytest.raises(LookupError):
            ask(failing, failsafe=30)
        assert ask(Counted("well again")) == "well again"
        assert cache.get("key") == "well again"
        place.let_pass(1000)
        with pytest.raises(LookupError):
            ask(failing)

    def test_each_question_counts_once(self, cache: Cache, place: Place) -> None:
        cache.get_many(["a", "b"])
        cache.remember("a", 60, Counted(), stale=60)
        cache.get_many(["a", "b", "a"])
        cache.remember("a", 60, Counted())
        cache.pull("b")
        assert not cache.has("b")
        place.let_pass(61)
        cache.remember("a", 60, Counted("new"), stale=60)
        eventually(lambda: cache.has("a"))
        assert cache.stats() == {
            "hits": 2,
            "misses": 5,
            "stale": 1,
            "errors": 0,
            "computations": 2,
        }

    # Coroutines

    def test_every_method_has_an_async_twin(self, cache: Cache) -> None:
        async def use() -> None:
            assert await cache.aset("key", [1], 60, tags=["t"])
            assert await cache.aget("key", default=0) == [1]
            assert await cache.ahas("key")
            await cache.aforget_tags("t")
            assert not await cache.ahas("key")
            assert await cache.aadd("key", 1)
            assert await cache.aincr("key", 5) == 6
            assert await cache.adecr("key") == 5
            assert await cache.atouch("key", 60)
            assert await cache.apull("key") == 5
            assert await cache.aset_many({"a": 1, "b": 2}) == 2
            assert await cache.aget_many(["a", "b", "c"]) == {"a": 1, "b": 2}
            assert await cache.aforget_many(["a", "c"]) == 1
            assert await cache.aforget("b")
            await cache.aset("key", 1)
            await cache.aflush()
            assert not await cache.ahas("key")

        asyncio.run(use())
        assert Cache.aget.__name__ == "aget"

    def test_two_hundred_tasks_are_one_computation(self, cache: Cache) -> None:
        calls = 0

        async def fetch() -> list[int]:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0.05)
            return [calls]

        async def use() -> list[list[int]]:
            return await asyncio.gather(*[cache.aremember("key", 60, fetch) for _ in range(200)])

        results = asyncio.run(use())
        assert (calls, results) == (1, [[1]] * 200)
        results[0].append(2)
        assert results[1] == [1]

    def test_plain_functions_and_functions_that_return_coroutines_do_too(
        self, cache: Cache
    ) -> None:
        async def fetch() -> str:
            return "fetched"

        async def use() -> None:
            assert await cache.aremember("a", 60, Counted("plain")) == "plain"
            assert await cache.aremember("b", 60, lambda: fetch()) == "fetched"
            assert await cache.aremember("c", 60, lambda: Computed(1, store=False)) == 1
            assert not await cache.ahas("c")
            with pytest.raises(LookupError):
                await cache.aremember("d", 60, Counted(LookupError("no")))
            assert await cache.aremember("d", 60, fetch, tags=["t"]) == "fetched"
            assert await cache.aremember("d", 60, Counted("other")) == "fetched"

        asyncio.run(use())

    def test_what_is_private_is_not_given_to_tasks_that_wait(self, cache: Cache) -> None:
        numbers = iter(range(1000))

        async def private() -> Computed:
            number = next(numbers)
            await asyncio.sleep(0.05)
            return Computed(number, store=False)

        async def use() -> list[Any]:
            return await asyncio.gather(*[cache.aremember("key", 60, private) for _ in range(8)])

        assert len(set(asyncio.run(use()))) == 8

    def test_a_cancelled_leader_is_replaced(self, cache: Cache) -> None:
        async def use() -> None:
            started = asyncio.Event()

            async def hang() -> str:
                started.set()
                await asyncio.sleep(3600)
                return "never"

            async def fetch() -> str:
                return "fetched"

            leader = asyncio.create_task(cache.aremember("key", 60, hang))
            await started.wait()
            waiter = asyncio.create_task(cache.aremember("key", 60, fetch))
            await asyncio.sleep(0.02)
            leader.cancel()
            assert await waiter == "fetched"
            assert await cache.aget("key") == "fetched"

        asyncio.run(use())

    def test_a_cancelled_get_leaves_the_next_one_right(self, cache: Cache) -> None:
        for number in range(20):
            cache.set(f"key{number}", number)

        async def use() -> None:
            for number in range(20):
                task = asyncio.create_task(cache.aget(f"key{number}"))
                await asyncio.sleep(0)
                task.cancel()
                assert await cache.aget(f"key{(number + 1) % 20}") == (number + 1) % 20

        asyncio.run(use())

    def test_threads_wait_for_a_task_and_tasks_for_a_thread(self, cache: Cache) -> None:
        slow = Counted("thread's")
        slow.gate.clear()
        thread = threading.Thread(target=lambda: cache.remember("a", 60, slow))
        thread.start()
        assert slow.entered.wait(30)

        async def use() -> None:
            async def fetch() -> str:
                await asyncio.sleep(0.05)
                return "task's"

            waiting = asyncio.create_task(cache.aremember("a", 60, fetch))
            await asyncio.sleep(0.02)
            slow.gate.set()
            assert await waiting == "thread's"
            task = asyncio.create_task(cache.aremember("b", 60, fetch))
            await asyncio.sleep(0.02)
            other = asyncio.to_thread(cache.remember, "b", 60, Counted("other"))
            assert await asyncio.gather(task, other) == ["task's", "task's"]

        asyncio.run(use())
        thread.join()

    def test_a_plain_call_on_the_event_loop_never_waits_for_a_task_of_it(
        self, cache: Cache
    ) -> None:
        async def use() -> None:
            started, leave = asyncio.Event(), asyncio.Event()

            async def slow() -> str:
                started.set()
                await leave.wait()
                return "slow"

            task = asyncio.create_task(cache.aremember("key", 60, slow))
            await started.wait()
            assert cache.remember("key", 60, Counted("at once")) == "at once"
            leave.set()
            assert await task == "slow"

        asyncio.run(use())

    def test_a_task_serves_stale_values_too(self, cache: Cache, place: Place) -> None:
        async def old() -> str:
            return "old"

        async def use() -> None:
            calls = 0

            async def new() -> str:
                nonlocal calls
                calls += 1
                await asyncio.sleep(0.01)
                return "new"

            async def failing() -> str:
                raise LookupError("no")

            assert await cache.aremember("key", 60, old, stale=600) == "old"
            assert await cache.aremember("bad", 60, old, stale=600) == "old"
            place.let_pass(61)
            found = [await cache.aremember("key", 60, new, stale=600) for _ in range(5)]
            assert found[:2] == ["old", "old"]
            assert await cache.aremember("bad", 60, failing, stale=600) == "old"
            while await cache.aget("key") != "new":
                await asyncio.sleep(0.005)
            assert calls == 1
            assert await cache.aremember("bad", 60, failing, stale=600) == "old"

        asyncio.run(use())

    # Bookkeeping

    def test_it_counts_what_happened(self, cache: Cache) -> None:
        cache.get("key")
        cache.remember("key", 60, Counted())
        cache.get("key")
        assert cache.counters.to_dict() == {
            "hits": 1,
            "misses": 2,
            "stale": 0,
            "errors": 0,
            "computations": 1,
        }
        cache.close()
        assert cache.get("key") == "computed"
        assert "Store" in repr(cache)

    def test_processes_that_share_a_store_add_up_what_they_count(
        self, cache: Cache, place: Place
    ) -> None:
        other = Cache(place.open())
        for one in (cache, other):
            one._tally.pause = 0.01
            one.start()
            one.start()
            one.get("none")
        if place.shared:
            eventually(lambda: cache.totals()["misses"] == 2)
        other.forget_tags("hits")
        other.remember("key", 60, Counted())
        for one in (cache, other):
            one.close()
            one.close()
        expected = {"hits": 0, "misses": 3, "stale": 0, "errors": 0, "computations": 1}
        assert cache.totals() == (
            expected if place.shared else {**expected, "misses": 1, "computations": 0}
        )
        cache.flush()
        assert not place.shared or set(cache.totals().values()) == {0}
