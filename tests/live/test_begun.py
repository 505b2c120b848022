"""A coroutine whose first step has run: awaiting the rest is as awaiting the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from asok.live.begun import Begun


def test_what_waits_for_nothing_is_over_at_once() -> None:
    async def scenario() -> None:
        done: list[str] = []

        async def method() -> None:
            done.append("done")

        assert Begun.of(method()) is None
        assert done == ["done"]

    asyncio.run(scenario())


def test_what_waits_goes_on_with_what_it_waited_for() -> None:
    async def scenario() -> None:
        first, second = asyncio.Future[str](), asyncio.Future[str]()

        async def method() -> str:
            return await first + await second

        begun = Begun.of(method())
        assert begun is not None
        first.set_result("a")
        asyncio.get_running_loop().call_soon(second.set_result, "b")
        assert await begun == "ab"

    asyncio.run(scenario())


def test_errors_pass_in_both_directions() -> None:
    async def scenario() -> None:
        async def raising() -> None:
            await asyncio.sleep(0)
            raise ValueError("later")

        begun = Begun.of(raising())
        assert begun is not None
        with pytest.raises(ValueError, match="later"):
            await begun

        seen: list[str] = []

        async def hanging() -> None:
            try:
                await asyncio.Future[None]()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        begun = Begun.of(hanging())
        assert begun is not None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await begun
        assert seen == ["cancelled"]

        async def at_once() -> None:
            raise ValueError("first")

        with pytest.raises(ValueError, match="first"):
            Begun.of(at_once())

    asyncio.run(scenario())


def test_what_is_never_awaited_again_is_closed() -> None:
    closed: list[str] = []

    async def method() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append("closed")

    begun = Begun.of(method())
    assert begun is not None
    rest = begun.__await__()
    next(rest)
    rest.close()
    assert closed == ["closed"]


def test_the_task_is_the_same_all_the_while() -> None:
    tasks: list[object] = []

    async def method() -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())

    async def caller(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        begun = Begun.of(make())
        assert begun is not None
        await begun
        assert tasks == [asyncio.current_task()] * 2

    asyncio.run(caller(method))
