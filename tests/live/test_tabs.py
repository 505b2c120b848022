"""A thousand tabs that came and went leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import weakref

from asok.component import Component, exposed, listens

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
        gone: list[weakref.ref[object]] = []
        for wave in range(4):
            tabs: list[FakeClient] = []
            for n in range(250):
                tab = FakeClient(live, f"visitor {wave} {n % 50}", f"tab {n}")
                await tab.join(page)
                tabs.append(tab)
            assert (len(live), len(live.broadcasts)) == (250, 250)
            for tab in tabs[:25]:
                await tab.call(tab.shown[1], "say")
            live.broadcasts.deliver(live.broadcasts.event("said", {}))
            await asyncio.sleep(0)  # some have heard of it by now
            for tab in tabs:
                await tab.conversation.close()
            gone += [weakref.ref(tab.conversation) for tab in tabs]
            assert await live.drain(10)
            assert (len(live), len(live.broadcasts), len(live.bases)) == (0, 0, 0)
            del tab, tabs
        gc.collect()
        assert not [one for one in gone if one() is not None]
        assert not live.broadcasts._topics  # pyright: ignore[reportPrivateUsage]
        assert not live._conversations  # pyright: ignore[reportPrivateUsage]

    asyncio.run(main())
