"""Broadcasts that a component did not hear at once: late, twice, or while nobody was there."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from asok.component import Component, exposed, listens
from asok.live import Limits, LiveStore
from asok.live.broadcasting import Event
from asok.live.ledger import taken
from asok.live.recent import Recent

from .fake_client import FakeClient, Shown
from .ports import Site, StoreMaker

Workers = Callable[[], list[Site]]


class Log(Component):
    room: str = "hall"
    heard: str = ""

    @listens("room:{room}")
    def noted(self, n: int) -> None:
        self.heard += str(n)

    @exposed
    def enter(self, room: str) -> None:
        self.room = room

    def render(self) -> str:
        return f"<b>{self.heard}</b>"


class Clock:
    now = 1_700_000_000.25

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


CLOCK = Clock()


def site(store: LiveStore, **options: Any) -> Site:
    limits = Limits(messages_per_second=1e6, push_seconds=0.001, **options)
    return Site(Log, store=store, limits=limits, clock=CLOCK)


def tell(one: Site, n: int, topic: str = "room:hall", publisher: str = "$p") -> None:
    """Let a worker hear the `n`th event of another one, by its notice."""
    message = {"t": topic, "d": {"n": n}, "p": publisher, "s": n}
    one.live.broadcasts._received(message)  # pyright: ignore[reportPrivateUsage]


async def joined(one: Site, tab: str, page: str) -> tuple[FakeClient, Shown]:
    client = FakeClient(one.live, "visitor", tab)
    [shown] = await client.join(page)
    return client, shown


async def settled(*clients: FakeClient) -> None:
    for _ in range(6):
        await asyncio.sleep(0.004)
        for client in clients:
            await client.settle()


def run(make_store: StoreMaker, scenario: Callable[[Site, Site, str], Awaitable[None]]) -> None:
    async def main() -> None:
        a, b = site(make_store()), site(make_store())
        await scenario(a, b, a.page("Log", session_id="visitor", cid="c"))
        await a.live.drain(5)
        await b.live.drain(5)

    asyncio.run(main())


def test_an_event_that_one_worker_hears_after_the_next_one_is_not_lost(
    make_store: StoreMaker,
) -> None:
    async def scenario(a: Site, b: Site, page: str) -> None:
        first, here = await joined(a, "one", page)
        second, there = await joined(b, "two", page)
        tell(b, 2)
        await settled(first, second)
        tell(a, 1)
        tell(b, 1)
        tell(a, 2)
        await settled(first, second)
        tell(a, 3)
        tell(b, 3)
        await settled(first, second)
        await first.call(here, "enter", "hall")
        await second.call(there, "enter", "hall")

        assert here.html == there.html == "<b>213</b>"

    run(make_store, scenario)


def test_what_came_between_the_page_and_its_socket_is_heard_and_nothing_of_before(
    make_store: StoreMaker,
) -> None:
    async def scenario(a: Site, b: Site, page: str) -> None:
        tell(a, 2)
        tell(a, 3, "room:attic")
        tell(a, 4)
        client, shown = await joined(a, "one", page)
        await settled(client)
        assert shown.html == "<b>24</b>"

        fresh = a.page("Log", session_id="visitor", cid="other")
        other, there = await joined(a, "two", fresh)
        await settled(other)
        assert there.html == "<b></b>", "what was before the page is not told"

    run(make_store, scenario)


def test_what_came_while_the_browser_was_away_is_heard_once_whichever_worker_it_finds(
    make_store: StoreMaker,
) -> None:
    async def scenario(a: Site, b: Site, page: str) -> None:
        client, shown = await joined(a, "one", page)
        for one in (a, b):
            tell(one, 1)
        await settled(client)
        await client.conversation.close()
        for one in (a, b):
            tell(one, 2)
        client.live = b.live
        await client.reconnect()
        await settled(client)
        assert shown.html == "<b>12</b>"
        client.live = a.live
        await client.reconnect()
        await settled(client)
        assert shown.html == "<b>12</b>"
        await client.call(shown, "enter", "attic")
        await client.call(shown, "enter", "hall")
        await client.reconnect()
        await settled(client)
        assert shown.html == "<b>12</b>"

    run(make_store, scenario)


def test_what_waited_when_the_socket_closed_is_not_lost(make_store: StoreMaker) -> None:
    async def scenario(a: Site, b: Site, page: str) -> None:
        client, shown = await joined(a, "one", page)
        member = client.conversation._members[shown.n]  # pyright: ignore[reportPrivateUsage]
        member.pushed = asyncio.get_running_loop().time() + 60
        tell(a, 1)
        await asyncio.sleep(0)
        await client.call(shown, "enter", "hall")
        await client.reconnect()
        await settled(client)
        assert shown.html == "<b>1</b>"

    run(make_store, scenario)


def test_what_is_kept_for_those_who_come_back_is_bounded() -> None:
    recent = Recent(seconds=10, limit=20_000)
    for number in range(50):
        recent.add(Event("t", {}, "$p", number, at=float(number)), 4)
    assert len(recent) == 11, "of the last 10 seconds"
    assert [event.seq for event in recent.since(48, {"t"})] == [48, 49]
    assert recent.since(0, {"other"}) == []
    recent.add(Event("t", {}, "$p", 50, at=50.0), 19_400)
    assert len(recent) == 1, "of at most so many bytes"
    recent.add(Event("t", {}, "$p", 51, at=51.0), 20_000)
    assert len(recent) == 0
    for number in range(100):
        recent.add(Event("t", {}, "$p", number, at=60.0), 2)
    assert len(recent) == 38, "an event without a payload takes something, too"


def test_what_was_rendered_for_an_event_is_not_kept_with_it() -> None:
    recent = Recent(seconds=10, limit=20_000)
    event = Event("t", {"n": 1}, "$p", 1, at=1.0)
    recent.add(event, 7)
    event.memo.html("Chat", "", b"{}", lambda: ("a page for one of thousands", True))
    shown = weakref.ref(event.memo)
    del event
    gc.collect()
    assert shown() is None

    [first], [second] = recent.since(0, {"t"}), recent.since(0, {"t"})
    first.memo.html("Chat", "", b"{}", lambda: ("for who came back", True))
    assert second.memo.html("Chat", "", b"{}", lambda: ("now", True)) == "now"


def test_what_is_older_than_anybody_remembers_counts_as_taken(make_store: StoreMaker) -> None:
    async def scenario(a: Site, b: Site, page: str) -> None:
        client, shown = await joined(a, "one", page)
        tell(a, 1000)
        await settled(client)
        for n in (744, 745, 744, 745):
            tell(a, n)
            await settled(client)
        assert shown.html == "<b>1000745</b>"
        row = a.live.store.load(client.conversation.owner, "c")
        assert taken(row, "$p", 744)
        assert not taken(row, "$p", 746)
        assert not taken(row, "$q", 1)
        assert not taken(None, "$p", 1)

    run(make_store, scenario)
