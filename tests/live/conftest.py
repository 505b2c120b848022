"""Fixtures of the live components: stores, and scenarios over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from asok.live import LiveStore, MemoryLiveStore, RedisLiveStore, SqliteLiveStore

from .ports import Site, StoreMaker
from .scenario import BLOCK, Waiting, site


@pytest.fixture(params=["memory", "sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[StoreMaker]:
    """Make stores of one kind that see the same rows."""
    made: list[LiveStore] = []
    kind: str = request.param

    def make(**options: Any) -> LiveStore:
        if kind == "memory":
            if not made:
                made.append(MemoryLiveStore(**options))
            return made[0]
        if kind == "sqlite":
            made.append(SqliteLiveStore(tmp_path / "live.sqlite3", **options))
        else:
            url: str = request.getfixturevalue("redis_url")
            made.append(RedisLiveStore(url, prefix=tmp_path.name, **options))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def run(make_store: StoreMaker) -> Callable[[Callable[[Site], Awaitable[None]]], None]:
    """Run a scenario with a site over each store."""

    def go(scenario: Callable[[Site], Awaitable[None]]) -> None:
        async def main() -> None:
            Waiting.gate = asyncio.Event()
            BLOCK.clear()
            one = site(store=make_store())
            await scenario(one)
            BLOCK.set()
            assert await one.live.drain(10)

        asyncio.run(main())

    return go
