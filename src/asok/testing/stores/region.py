"""What a cache does alike over every store: its calls, tags, and one computation for all."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from asok.cache import MISSING, Cache, Computed
from asok.errors import CacheError, CacheKeyError, CacheValueError
from asok.testing.stores.asking import Counted, together
from asok.testing.stores.place import StorePlace

__all__ = ["RegionContract"]


class RegionContract:
    """A part of `CacheContract`."""

    @pytest.fixture
    def cache(self, place: StorePlace) -> Cache:
        return Cache(place.open())

    # The documented calls

    def test_the_documented_calls(self, cache: Cache) -> None:
        cache.set("key", "value", ttl=300)
        assert cache.get("key", default="missing") == "value"
        assert cache.has("key") is True
        cache.forget("key")
        assert cache.get("key", default="missing") == "missing"
        assert cache.has("key") is False
        fetch_slow_api = Counted({"answer": 42})
        data = cache.remember("api_data", ttl=60, fn=fetch_slow_api)
        assert data == cache.remember("api_data", ttl=60, fn=fetch_slow_api) == {"answer": 42}
        assert fetch_slow_api.calls == 1
        cache.flush()
        assert not cache.has("api_data")

    def test_none_is_a_value(self, cache: Cache) -> None:
        cache.set("key", None)
        assert cache.has("key")
        assert cache.get("key", default="missing") is None
        nothing = Counted(None)
        assert cache.remember("other", 60, nothing) is None
        assert cache.remember("other", 60, nothing) is None
        assert nothing.calls == 1
        assert cache.get("never", MISSING) is MISSING
        assert cache.pull("key", "missing") is None
        assert cache.pull("key", "missing") == "missing"

    @pytest.mark.parametrize("ttl", [0, -1, -0.5, timedelta(0), timedelta(seconds=-1), -math.inf])
    def test_a_ttl_of_zero_or_less_is_not_stored(self, cache: Cache, ttl: Any) -> None:
        cache.set("key", "old")
        assert cache.set("key", "new", ttl=ttl) is False
        assert not cache.has("key")
        assert cache.add("key", 1, ttl=ttl) is False
        assert cache.incr("key", 3, ttl=ttl) == 3
        computed = Counted()
        assert cache.remember("key", ttl, computed) == "computed"
        assert cache.remember("key", ttl, computed) == "computed"
        assert computed.calls == 2
        cache.set("key", "old")
        assert cache.touch("key", ttl)
        assert not cache.has("key")

    @pytest.mark.parametrize(
        "ttl", [None, 60, 60.5, timedelta(minutes=1), math.inf, 1e18, timedelta.max]
    )
    def test_any_other_ttl_is_stored(self, cache: Cache, place: StorePlace, ttl: Any) -> None:
        assert cache.set("key", 1, ttl=ttl)
        place.let_pass(59)
        assert cache.get("key") == 1
        place.let_pass(10_000)
        assert cache.has("key") == (ttl not in (60, 60.5, timedelta(minutes=1)))

    @pytest.mark.parametrize("ttl", [True, False, math.nan, "60", b"1", [60], 1j])
    def test_what_is_no_time_is_refused(self, cache: Cache, ttl: Any) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: cache.set("key", 1, ttl=ttl),
            lambda: cache.add("key", 1, ttl=ttl),
            lambda: cache.incr("key", ttl=ttl),
            lambda: cache.touch("key", ttl),
            lambda: cache.remember("key", ttl, Counted()),
            lambda: cache.remember("key", 60, Counted(), stale=ttl),
        ]
        for call in calls:
            with pytest.raises(CacheError, match="time to live"):
                call()
        assert not cache.has("key")

    @pytest.mark.parametrize("key", ["", None, 5, b"key", ["key"], "x" * 4097, "é" * 2049, 1.5])
    def test_what_is_no_key_is_refused(self, cache: Cache, key: Any) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: cache.get(key),
            lambda: cache.has(key),
            lambda: cache.get_many([key]),
            lambda: cache.set(key, 1),
            lambda: cache.add(key, 1),
            lambda: cache.incr(key),
            lambda: cache.forget(key),
            lambda: cache.touch(key),
            lambda: cache.pull(key),
            lambda: cache.remember(key, 60, Counted()),
            lambda: cache.set("key", 1, tags=[key]),
        ]
        for call in calls:
            with pytest.raises(CacheKeyError):
                call()

    def test_a_key_of_a_megabyte_is_refused_with_the_fix(self, cache: Cache) -> None:
        with pytest.raises(CacheKeyError, match="digest"):
            cache.set("x" * 1_000_000, 1)

    def test_the_keys_of_the_cache_itself_are_refused(self, cache: Cache) -> None:
        with pytest.raises(CacheKeyError, match="keeps for itself"):
            cache.set("\0asok:tag", 1)

    def test_an_unstorable_value_is_refused_also_when_computed(self, cache: Cache) -> None:
        with pytest.raises(CacheValueError, match="object"):
            cache.remember("key", 60, object)
        with pytest.raises(CacheError, match="expected a function"):
            cache.remember("key", 60)

    # Many at once

    def test_many_at_once(self, cache: Cache) -> None:
        assert cache.set_many({"a": 1, "b": None, "c": [3]}, ttl=60) == 3
        assert cache.get_many(["a", "b", "c", "d"]) == {"a": 1, "b": None, "c": [3]}
        assert cache.forget_many(["a", "d"]) == 1
        assert cache.get_many(iter(["a", "b"])) == {"b": None}

    def test_exactly_one_pulls(self, cache: Cache) -> None:
        cache.set("key", "prize")
        assert sorted(together(8, lambda: cache.pull("key", ""))) == [""] * 7 + ["prize"]

    def test_counters_go_up_and_down(self, cache: Cache) -> None:
        assert (cache.incr("n"), cache.incr("n", 5), cache.decr("n", 2)) == (1, 6, 4)
        with pytest.raises(CacheError, match="delta"):
            cache.incr("n", 1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(CacheError, match="delta"):
            cache.incr("n", True)

    # Tags

    def test_a_tag_removes_what_carries_it(self, cache: Cache) -> None:
        cache.set("a", 1, tags=["x", "y"])
        cache.set("b", 2, tags=["y"])
        cache.set("c", 3)
        assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2, "c": 3}
        cache.forget_tags("x")
        assert (cache.get("a"), cache.has("a"), cache.get("b")) == (None, False, 2)
        assert cache.get_many(["a", "b", "c"]) == {"b": 2, "c": 3}
        assert cache.add("a", "again")
        assert not cache.add("b", "again")
        cache.forget_tags("y", "never used")
        assert cache.get_many(["a", "b", "c"]) == {"a": "again", "c": 3}
        computed = Counted("new")
        assert cache.remember("b", 60, computed, tags=["y"]) == "new"
        assert cache.remember("b", 60, computed, tags=["y"]) == "new"
        cache.forget_tags("y")
        assert cache.remember("b", 60, computed, tags=["y"]) == "new"
        assert computed.calls == 2

    @pytest.mark.parametrize("tags", ["posts", 5, None, [5], [""]])
    def test_what_are_no_tags_is_refused(self, cache: Cache, tags: Any) -> None:
        with pytest.raises(CacheKeyError):
            cache.set("key", 1, tags=tags)

    def test_a_tag_flushed_while_a_value_is_computed_makes_it_a_miss(self, cache: Cache) -> None:
        def compute() -> str:
            cache.forget_tags("t")
            return "old"

        assert cache.remember("key", 60, compute, tags=["t"]) == "old"
        assert not cache.has("key")

    # One computation

    def test_two_hundred_misses_are_one_computation(self, cache: Cache) -> None:
        slow = Counted([1, {"a": 2}])
        slow.gate.clear()
        results: list[Any] = []

        def ask() -> None:
            results.append(cache.remember("key", 60, slow))

        threads = [threading.Thread(target=ask) for _ in range(200)]
        for thread in threads:
            thread.start()
        slow.gate.set()
        for thread in threads:
            thread.join()
        assert slow.calls == 1
        assert results == [[1, {"a": 2}]] * 200
        results[0][1]["a"] = "spoilt"
        assert results[1] == [1, {"a": 2}]
        assert cache.get("key") == [1, {"a": 2}]

    def test_an_error_reaches_all_who_wait_and_is_not_stored(self, cache: Cache) -> None:
        failing = Counted(LookupError("no"))
        for _ in range(2):
            with pytest.raises(LookupError):
                cache.remember("key", 60, failing)
        assert failing.calls == 2
        assert cache.remember("key", 60, Counted("fine")) == "fine"

    @pytest.mark.parametrize("purge", ["forget", "flush", "set", "pull"])
    def test_a_value_begun_before_a_purge_is_not_stored(self, cache: Cache, purge: str) -> None:
        def compute() -> str:
            if purge == "forget":
                cache.forget("key")
            elif purge == "flush":
                cache.flush()
            elif purge == "set":
                cache.set("key", "newer")
            else:
                cache.set("key", "newer")
                cache.pull("key")
            return "older"

        assert cache.remember("key", 60, compute) == "older"
        assert cache.get("key", "nothing") == ("newer" if purge == "set" else "nothing")
        assert cache.remember("key", 60, Counted("newest")) == (
            "newer" if purge == "set" else "newest"
        )

    @pytest.mark.parametrize("purge", ["forget", "forget_many", "forget_tags", "flush"])
    def test_who_asks_after_a_purge_gets_nothing_that_was_begun_before(
        self, cache: Cache, purge: str
    ) -> None:
        old, new = Counted("old"), Counted("new")
        old.gate.clear()
        with ThreadPoolExecutor(2) as pool:
            begun = pool.submit(cache.remember, "key", 60, old, tags=["tag"])
            assert old.entered.wait(30)
            arguments = {"forget": "key", "forget_many": ["key"], "forget_tags": "tag"}
            getattr(cache, purge)(*([arguments[purge]] if purge in arguments else []))
            asked = pool.submit(cache.remember, "key", 60, new, tags=["tag"])
            new.entered.wait(0.2)  # or it waits for the store's lease
            old.gate.set()
            assert (begun.result(), asked.result()) == ("old", "new")
        assert cache.get("key") == "new"

    def test_the_computed_value_may_decide(self, cache: Cache, place: StorePlace) -> None:
        def short() -> Computed:
            return Computed({"a": 1}, ttl=5, tags=["t"])

        assert cache.remember("short", 1000, short) == {"a": 1}
        place.let_pass(4)
        assert cache.get("short") == {"a": 1}
        cache.forget_tags("t")
        assert not cache.has("short")
        cache.remember("short", 1000, short)
        place.let_pass(6)
        assert not cache.has("short")
        assert cache.remember("never", 60, lambda: Computed(1, ttl=0)) == 1
        assert not cache.has("never")
        response = object()
        private = Counted(Computed(response, store=False))
        assert cache.remember("private", 60, private) is response
        assert not cache.has("private")

    def test_what_is_private_is_not_given_to_those_who_wait(self, cache: Cache) -> None:
        numbers = iter(range(1000))
        slow = threading.Event()

        def private() -> Computed:
            number = next(numbers)
            slow.wait(0.03)
            return Computed(number, store=False)

        results = together(8, lambda: cache.remember("key", 60, private))
        assert len(set(results)) == 8

    def test_a_computation_that_asks_for_itself_is_an_error(self, cache: Cache) -> None:
        def compute() -> Any:
            return cache.remember("key", 60, compute)

        with pytest.raises(CacheError, match="asks the cache for 'key' itself"):
            cache.remember("key", 60, compute)
        assert cache.remember("key", 60, lambda: cache.remember("other", 60, Counted(5))) == 5

    def test_a_coroutine_function_is_refused_by_the_plain_method(self, cache: Cache) -> None:
        async def fetch() -> int:
            return 1

        with pytest.raises(CacheError, match="aremember"):
            cache.remember("key", 60, fetch)
