"""A browser that sends far too much waits; the others don't."""

from __future__ import annotations

import asyncio

from asok.live import Conversation, Limits, MemoryLiveStore

from .fake_client import FakeClient, wrappers
from .target import site


def test_a_thousand_messages_a_second_are_slowed_down_and_others_are_answered() -> None:
    async def scenario() -> None:
        one = site(limits=Limits(), store=MemoryLiveStore())
        waits: list[float] = []
        held = asyncio.Event()

        async def pause(seconds: float) -> None:
            waits.append(seconds)
            await held.wait()

        async def emit(frame: str) -> None: ...
        async def hang_up(code: int, reason: str) -> None: ...

        flood = Conversation(one.live, "flood", emit=emit, hang_up=hang_up, pause=pause)

        async def send() -> None:
            for number in range(1000):
                await flood.receive(f'["c",1,{number + 1},"increment"]')

        sender = asyncio.create_task(send())
        await asyncio.sleep(0)
        assert len(waits) == 1, "the burst has passed, the next frame waits"
        neighbour = FakeClient(one.live, "neighbour")
        token = wrappers(one.page("Counter", frozen=True))[0]["token"]
        [shown] = await neighbour.join([token])
        await neighbour.call(shown, "increment")
        assert shown.html == "<b>1</b>"
        held.set()
        await sender
        assert len(waits) == 960
        assert 45 < waits[-1] <= 48, "960 frames at 20 a second"
        await flood.close()

    asyncio.run(scenario())
