"""A cache that is asked while a site is built: what it answers may be of any age."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asok import dependencies
from asok.cache import Cache
from asok.cache.memory import MemoryStore


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dependencies.Seen:
    now = dependencies.Seen()
    monkeypatch.setattr(dependencies, "current", now)
    return now


@pytest.mark.parametrize(
    "ask",
    [
        lambda cache: cache.get("key"),
        lambda cache: cache.get_many(["key"]),
        lambda cache: cache.remember("key", 60, lambda: 1),
    ],
)
def test_a_page_that_asks_a_cache_was_made_of_data(
    seen: dependencies.Seen, ask: Callable[[Cache], object]
) -> None:
    cache = Cache()
    cache.set("key", 1)
    cache.forget("other")
    assert not seen.data, "writing tells a page nothing"
    ask(cache)
    assert seen.data


def test_a_server_asks_the_store_itself() -> None:
    assert isinstance(Cache().store, MemoryStore)
