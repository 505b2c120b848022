"""Threads for calls: bounded, shared fairly with what hangs, one database session each."""

from __future__ import annotations

import asyncio
import threading

import pytest

from asok import models
from asok.composition.threads import Threads
from asok.models.request_scope import current_scope


def test_what_hangs_leaves_room_for_others_and_is_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = threading.Event()
    begun: list[int] = []

    def hang() -> None:
        begun.append(1)
        held.wait(20)

    async def until(number: int) -> None:
        while len(begun) < number:
            await asyncio.sleep(0.005)

    async def scenario() -> None:
        threads = Threads(40, slow=41, patience=0.02)
        hanging = [asyncio.ensure_future(threads(hang)) for _ in range(40)]
        await until(40)
        # Nobody would get a thread now, were they counted.
        assert await asyncio.gather(*(threads(lambda: 7) for _ in range(100))) == [7] * 100
        assert threads.busy == 40

        hanging += [asyncio.ensure_future(threads(hang)) for _ in range(42)]
        await until(81)
        late = asyncio.ensure_future(threads(lambda: 8))
        await asyncio.sleep(0.1)
        assert len(begun) == 81, "40, and 41 beside them"
        assert not late.done()
        held.set()
        assert await late == 8
        await asyncio.gather(*hanging)
        assert await threads(lambda: 9) == 9
        assert threads.busy == 0

    asyncio.run(scenario())
    assert caplog.text.count("others wait for them") == 1


def test_who_holds_a_connection_does_not_queue() -> None:
    held = threading.Event()

    class Connection:
        connected = True

        def close(self) -> None: ...

    async def scenario() -> None:
        threads = Threads(1, slow=1, patience=60.0)
        first = asyncio.ensure_future(threads(lambda: held.wait(20)))
        while not threads.busy:
            await asyncio.sleep(0.001)
        with models.scope() as scope:
            scope.part("connection", Connection)
            assert await threads(current_scope) is scope
        held.set()
        await first

    asyncio.run(scenario())


def test_each_call_has_a_session_of_its_own_unless_it_is_in_one() -> None:
    async def scenario() -> None:
        threads = Threads()
        first, second = await threads(current_scope), await threads(current_scope)
        assert first is not None
        assert first is not second
        assert first.closed
        with models.scope() as scope:
            assert await threads(current_scope) is scope
        assert scope.closed

    asyncio.run(scenario())
