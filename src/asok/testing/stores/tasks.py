"""What a cache does alike for coroutines over every store: each call, and one computation."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from asok.cache import Cache, Computed
from asok.testing.stores.asking import Counted, eventually
from asok.testing.stores.place import StorePlace

__all__ = ["TaskContract"]


class TaskContract:
    """A part of `CacheContract`."""

    @pytest.fixture
    def cache(self, place: StorePlace) -> Cache:
        return Cache(place.open())

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
            await asyncio.sleep(0.01)
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

    def test_a_task_serves_stale_values_too(self, cache: Cache, place: StorePlace) -> None:
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
            await asyncio.to_thread(eventually, lambda: cache.get("key") == "new")
            assert calls == 1
            assert await cache.aremember("bad", 60, failing, stale=600) == "old"

        asyncio.run(use())
