"""A cache of the development server tells each request what it asked, and what it got."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from pathlib import Path

import pytest
from tests.observers import Notes, telling

from asok.cache import Cache
from asok.cache.counters import Counters
from asok.observing import observed


@pytest.fixture(params=["memory", "file"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Cache:
    with telling():
        return Cache(request.param, path=tmp_path / "cache")


def test_each_answer_is_told_with_its_key(cache: Cache) -> None:
    notes = Notes()
    cache.set("a", 1, tags=["letters"])
    with observed(notes):
        assert cache.get("a") == 1
        assert cache.get("b") is None
        assert cache.remember("c", 60, lambda: cache.get("a")) == 1
        assert cache.remember("c", 60, lambda: 2) == 1
        assert cache.get_many(["a", "x", "y"]) == {"a": 1}
        asyncio.run(cache.aget("a"))
    assert notes.counted_by_key == [
        ("a", "hits", 1),
        ("b", "misses", 1),
        ("c", "misses", 1),
        ("c", "computations", 1),
        ("a", "hits", 1),
        ("c", "hits", 1),
        ("a, x, y", "hits", 1),
        ("a, x, y", "misses", 2),
        ("a", "hits", 1),
    ]
    assert cache.stats() == {
        "hits": 5, "misses": 4, "stale": 0, "errors": 0, "computations": 1,
    }  # fmt: skip


def test_requests_at_the_same_time_are_told_their_own(cache: Cache) -> None:
    cache.set("shared", 1)
    contexts: list[tuple[Notes, Context]] = []
    for _ in range(3):
        notes = Notes()
        with observed(notes):
            contexts.append((notes, copy_context()))
    with ThreadPoolExecutor(1) as pool:
        for times in range(1, 4):
            for _, context in contexts[:times]:
                assert pool.submit(context.run, cache.get, "shared").result() == 1
    assert [len(notes.counted_by_key) for notes, _ in contexts] == [3, 2, 1]


def test_without_a_request_it_only_counts(cache: Cache) -> None:
    assert cache.get("nothing") is None
    assert cache.counters.misses == 1


def test_in_production_the_counters_are_plain() -> None:
    cache = Cache()
    assert type(cache.counters) is Counters
    notes = Notes()
    with observed(notes):
        cache.get("a")
    assert notes.counted_by_key == []
