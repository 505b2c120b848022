"""Coroutines that ask a store which waits: in threads of the cache's own."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from asok.cache import Cache
from asok.cache.api import Entry
from asok.cache.memory import MemoryStore
from asok.cache.threads import hop, in_thread, later
from asok.testing.stores.asking import eventually

_name: ContextVar[str] = ContextVar("name", default="nobody")


class Hanging(MemoryStore):
    """A store that answers nothing until `gate` opens."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.waiting = 0

    def get(self, key: str) -> Entry | None:
        self.waiting += 1
        assert self.gate.wait(30)
        return super().get(key)


def test_a_store_that_hangs_leaves_the_threads_of_the_loop_free() -> None:
    store = Hanging()
    cache = Cache(store)

    async def use() -> None:
        asked = [asyncio.ensure_future(cache.aget(f"key{number}")) for number in range(100)]
        while store.waiting < 32:
            await asyncio.sleep(0.001)
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert store.waiting == 32, "as many as there are connections, and no more"
        store.gate.set()
        assert await asyncio.gather(*asked) == [None] * 100

    asyncio.run(use())


def test_a_call_sees_the_context_of_who_makes_it() -> None:
    async def use() -> list[str]:
        _name.set("Ada")
        return [await in_thread(_name.get), await hop(True, _name.get), await hop(False, _name.get)]

    assert asyncio.run(use()) == ["Ada"] * 3


def test_a_call_that_nobody_waits_for_is_made() -> None:
    done = threading.Event()
    later(done.set)
    eventually(done.is_set)


def test_an_error_reaches_who_made_the_call() -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        asyncio.run(in_thread(fail))
