"""A thousand tabs that came and went leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import weakref

from asok.component import Component, exposed, listens
from asok.live import Conversation

from .fake_client import FakeClient
from .ports import Site


class Room(Component):
    said: int = 0

    @listens("said")
    def hear(self) -> None:
        self.said += 1

    @exposed
    def say(self) -> None:
        self.said += 1

    def render(self) -> str:
        return f"<p>{self.said}</p>" * 20


def test_a_thousand_tabs_opened_and_closed_leave_nothing() -> None:
    async def main() -> None:
        site = Site(Room)
        live = site.live
        page = site.page("Room", frozen=True)
        gone: list[weakref.ref[Conversation]] = []
        for wave in range(4):
            tabs: list[FakeClient] = []
            for n in range(250):
                tabs.append(FakeClient(live, f"visitor {wave} {n % 50}", f"tab {n}"))
                await tabs[-1].join(page)
            assert (len(live), len(live.broadcasts)) == (250, 250)
            for one in tabs[:25]:
                await one.call(one.shown[1], "say")
            live.broadcasts.deliver(live.broadcasts.event("said", {}))
            await asyncio.sleep(0)  # some have heard of it by now
            for one in tabs:
                await one.conversation.close()
            gone += [weakref.ref(one.conversation) for one in tabs]
            assert await live.drain(10)
            assert (len(live), len(live.broadcasts), len(live.bases)) == (0, 0, 0)
            tabs.clear()
        del one  # pyright: ignore[reportPossiblyUnboundVariable]
        gc.collect()
        assert not [left for left in gone if left() is not None]
        assert not live.broadcasts._topics  # pyright: ignore[reportPrivateUsage]
        assert not live._conversations  # pyright: ignore[reportPrivateUsage]

    asyncio.run(main())
