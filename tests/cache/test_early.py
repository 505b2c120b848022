"""Values computed anew before they end (XFetch), over each store."""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import Any

import pytest

from asok.cache import Cache
from asok.cache.api import Entry
from asok.cache.early import is_due
from asok.errors import CacheError
from asok.testing.stores.asking import Counted, eventually

from .places import Place


@pytest.mark.parametrize("use_async", [False, True])
def test_near_its_end_one_computes_it_anew_and_nobody_waits(
    any_place: Place, monkeypatch: pytest.MonkeyPatch, use_async: bool
) -> None:
    cache = Cache(any_place.open())

    async def answers(fn: Any, early: float) -> list[Any]:
        asked = [cache.aremember("key", 60, fn, early=early) for _ in range(20)]
        found = list(await asyncio.gather(*asked))
        fn.gate.set()
        while cache._serving._refreshes._running:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0.005)
        return found

    def ask(fn: Counted, early: float) -> list[Any]:
        if use_async:
            return asyncio.run(answers(fn, early))
        found = [cache.remember("key", 60, fn, early=early) for _ in range(20)]
        fn.gate.set()
        return found

    def first() -> str:
        time.sleep(0.02)
        return "old"

    assert cache.remember("key", 60, first, early=1.0) == "old"
    assert cache.touch("key", 60)
    any_place.let_pass(59.5)
    entry = cache.store.get("key")
    assert entry is not None
    assert entry.cost >= 0.02
    assert 0 < entry.left <= 0.5
    anew = Counted("new")
    anew.gate.clear()
    monkeypatch.setattr(random, "random", lambda: 0.5)
    assert ask(anew, 1.0) == ["old"] * 20
    assert anew.calls == 0, "an usual throw half a second before the end of a cheap value"
    monkeypatch.setattr(random, "random", lambda: 0.999_999_999_999_999)
    assert ask(anew, 0.0) == ["old"] * 20
    anew.gate.clear()
    assert ask(anew, 1.0) == ["old"] * 20, "nobody waits"
    eventually(lambda: cache.get("key") == "new", what="the refresh")
    assert anew.calls == 1
    renewed = cache.store.get("key")
    assert renewed is not None
    assert renewed.left > 50
    assert cache.stats()["misses"] == 1


def test_the_chance_is_that_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", random.Random(1).random)
    for left, cost, early in ((1.0, 1.0, 1.0), (1.0, 0.5, 1.0), (1.0, 0.5, 4.0), (0.1, 1.0, 1.0)):
        entry = Entry(1, cost=cost, left=left)
        due = sum([is_due(entry, early) for _ in range(20_000)]) / 20_000
        assert due == pytest.approx(math.exp(-left / (cost * early)), abs=0.015)
    assert not any(is_due(Entry(1, left=0.0001), 1.0) for _ in range(1000)), "its cost is unknown"


def test_the_cost_is_kept_only_where_it_is_asked_for(any_place: Place) -> None:
    cache = Cache(any_place.open())
    cache.remember("plain", 60, lambda: 1)
    cache.remember("for ever", None, lambda: 1, early=1.0)
    cache.remember("both", 60, lambda: (1,), stale=60, tags=["t"], early=1.0)
    entries = cache.store.get_many(["plain", "for ever", "both"])
    assert [entries[key].cost > 0 for key in ("plain", "for ever", "both")] == [False, False, True]
    assert cache.get_many(["plain", "both"]) == {"plain": 1, "both": (1,)}
    any_place.let_pass(61)
    assert cache.remember("both", 60, lambda: 2, stale=60) == (1,)
    cache.incr("plain")
    assert cache.add("new", 1)


@pytest.mark.parametrize("early", [-1, math.nan, math.inf, True, "1", None])
def test_what_is_no_beta_is_refused(early: Any) -> None:
    with pytest.raises(CacheError, match="early"):
        Cache().remember("key", 60, lambda: 1, early=early)
