"""What a cache serves when a value is old or its source fails, and what it counts."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from asok.cache import Cache
from asok.errors import CacheValueError
from asok.testing.stores.asking import Counted, eventually
from asok.testing.stores.place import StorePlace

__all__ = ["ServingContract"]


class ServingContract:
    """A part of `CacheContract`."""

    @pytest.fixture
    def cache(self, place: StorePlace) -> Cache:
        return Cache(place.open())

    # Stale values

    def test_a_stale_value_is_served_while_one_computes(
        self, cache: Cache, place: StorePlace
    ) -> None:
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
        self, cache: Cache, place: StorePlace
    ) -> None:
        cache.remember("key", 60, Counted("old"), stale=600)
        place.let_pass(61)
        assert cache.remember("key", 60, Counted("new")) == "new"

    def test_a_failed_refresh_keeps_the_stale_value(
        self, cache: Cache, place: StorePlace, caplog: pytest.LogCaptureFixture
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
        place: StorePlace,
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

    def test_each_question_counts_once(self, cache: Cache, place: StorePlace) -> None:
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
        self, cache: Cache, place: StorePlace
    ) -> None:
        other = Cache(place.open())
        for one in (cache, other):
            one._tally.pause = 0.01  # pyright: ignore[reportPrivateUsage]
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
