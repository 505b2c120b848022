"""Broadcasts: who hears of them, how often, what is rendered, and when it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from asok.component import Component, exposed, listens
from asok.errors import ComponentError, ConfigurationError, LiveError
from asok.live import (
    Conversation,
    Limits,
    MemoryLiveStore,
    SqliteLiveStore,
    broadcast,
    configure_broadcasts,
)
from asok.live.broadcasting import Event
from asok.notices import FileNotices

from .fake_client import FakeClient, Shown
from .ports import Site
from .scenario import settled

RENDERS: list[str] = []


class Chat(Component):
    room: str = "hall"
    messages: list[str] = []  # noqa: RUF012

    @listens("room:{room}")
    def heard(self, text: str) -> None:
        self.messages = [*self.messages, text]

    @exposed
    def enter(self, room: str) -> None:
        self.room = room

    @exposed
    def fail(self) -> None:
        raise ValueError

    def render(self) -> str:
        RENDERS.append(self.room)
        return " ".join(self.messages)


class Board(Component):
    subscriptions = ("orders",)

    def render(self) -> str:
        RENDERS.append("board")
        return f"<b>{ORDERS[0]}</b>"


class Personal(Component):
    subscriptions = ["orders"]  # noqa: RUF012

    def render(self) -> str:
        RENDERS.append("personal")
        return f"{ORDERS[0]} for {self.session.get('name', 'nobody')}"


class Inbox(Component):
    seen: str = ""

    def mount(self) -> None:
        self.subscribe("user:1")

    @listens()
    async def heard(self, topic: str, n: int = 0) -> None:
        await asyncio.sleep(0)
        self.seen += f"{topic}={n} "

    @exposed
    def stop(self) -> None:
        self.unsubscribe("user:1")
        self.unsubscribe("user:2")

    def render(self) -> str:
        return self.seen


ORDERS = [0]


def site(**options: Any) -> Site:
    RENDERS.clear()
    ORDERS[0] = 0
    options.setdefault("limits", Limits(messages_per_second=1e6, push_seconds=0.001))
    return Site(Chat, Board, Personal, Inbox, **options)


async def joined(
    one: Site, name: str, visitor: str = "visitor", tab: str = "tab", **options: Any
) -> tuple[FakeClient, Shown]:
    client = FakeClient(one.live, visitor, tab)
    options.setdefault("frozen", True)
    [shown] = await client.join(one.page(name, **options))
    return client, shown


def test_who_listens_hears_and_who_left_does_not() -> None:
    async def scenario() -> None:
        one = site()
        a, here = await joined(one, "Chat", "a")
        b, there = await joined(one, "Chat", "b", room="attic")
        gone, away = await joined(one, "Chat", "c")
        await gone.conversation.close()

        one.live.broadcasts.publish("room:hall", {"text": "hello"})
        await settled(a, b)
        await b.call(there, "enter", "hall")
        one.live.broadcasts.publish("room:hall", {"text": "again"})
        one.live.broadcasts.publish("room:attic", {"text": "nobody"})
        await settled(a, b)

        assert (here.html, there.html, away.html) == ("hello again", "again", "")
        await a.send(["l", 1])
        await b.conversation.close()
        assert len(one.live.broadcasts) == 0

    asyncio.run(scenario())


def test_two_tabs_of_one_component_take_a_broadcast_once(tmp_path: Path) -> None:
    async def scenario(one: Site) -> None:
        first, here = await joined(one, "Chat", tab="one", cid="c")
        second, there = await joined(one, "Chat", tab="two", cid="c")
        for number in range(3):
            one.live.broadcasts.publish("room:hall", {"text": str(number)})
        await settled(first, second)

        assert here.html == there.html == "0 1 2"

    store = SqliteLiveStore(tmp_path / "live.sqlite3")
    for kept in (MemoryLiveStore(), store):
        asyncio.run(scenario(site(store=kept)))
    store.close()


def test_a_flood_is_taken_together_and_nothing_of_it_is_lost() -> None:
    async def scenario() -> None:
        one = site(limits=Limits(messages_per_second=1e6, push_seconds=0.02))
        client, shown = await joined(one, "Chat")
        before = len(RENDERS)
        for number in range(500):
            one.live.broadcasts.publish("room:hall", {"text": str(number)})
            await asyncio.sleep(0)
        while (shown.html or "").count(" ") < 499:
            await settled(client)

        assert shown.html == " ".join(map(str, range(500)))
        assert len(RENDERS) - before < 100

    asyncio.run(scenario())


def test_too_many_waiting_events_push_the_oldest_out(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        limits = Limits(messages_per_second=1e6, queued_events=5, push_seconds=0.001)
        one = site(limits=limits)
        client, shown = await joined(one, "Chat")
        for number in range(10):
            one.live.broadcasts.publish("room:hall", {"text": str(number)})
        await settled(client)

        assert shown.html == "5 6 7 8 9"

    asyncio.run(scenario())
    assert "an event for <Member 1: Chat" in caplog.text


def test_those_who_see_the_same_share_one_render() -> None:
    async def scenario() -> None:
        one = site()
        clients = [await joined(one, "Board", f"v{n}") for n in range(20)]
        chats = [await joined(one, "Chat", f"v{n}") for n in range(20)]
        RENDERS.clear()
        ORDERS[0] = 7
        one.live.broadcasts.publish("orders", {})
        one.live.broadcasts.publish("room:hall", {"text": "x"})
        await settled(*(client for client, _ in clients + chats))

        assert {shown.html for _, shown in clients} == {"<b>7</b>"}
        assert {shown.html for _, shown in chats} == {"x"}
        assert sorted(RENDERS) == ["board", "hall"]

    asyncio.run(scenario())


def test_what_is_the_visitors_own_is_rendered_for_each() -> None:
    async def scenario() -> None:
        one = site()
        one.session("a")["name"] = "Ada"
        a, ada = await joined(one, "Personal", "a", frozen=False, session_id="a")
        b, bob = await joined(one, "Personal", "b", frozen=False, session_id="b")
        ORDERS[0] = 2
        one.live.broadcasts.publish("orders", {})
        await settled(a, b)

        assert (ada.html, bob.html) == ("2 for Ada", "2 for nobody")

    asyncio.run(scenario())


def test_a_topic_that_was_subscribed_to_stays_so_until_it_is_given_up() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Inbox")
        one.live.broadcasts.publish("user:1", {"n": 4})
        await settled(client)
        await client.reconnect()
        one.live.broadcasts.publish("user:1", {})
        await settled(client)
        assert shown.html == "user:1=4 user:1=0 "

        await client.call(shown, "stop")
        one.live.broadcasts.publish("user:1", {})
        await settled(client)
        assert shown.html == "user:1=4 user:1=0 "

    asyncio.run(scenario())


def test_a_join_shows_what_was_missed() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Board")
        await client.conversation.close()
        ORDERS[0] = 3
        one.live.broadcasts.publish("orders", {})
        await client.reconnect()

        assert shown.html == "<b>3</b>"
        sent = len(client.frames)
        one.live.broadcasts.publish("orders", {})
        await settled(client)
        assert len(client.frames) == sent, "nothing changed, nothing is sent"

    asyncio.run(scenario())


def test_a_session_that_has_ended_hears_nothing_more() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Chat", cid="c")
        one.live.broadcasts.publish("room:hall", {"text": "one"})
        await settled(client)
        # Another worker ended it; its notice has not come.
        one.live.store.drop(client.conversation.owner)
        one.live.broadcasts.publish("room:hall", {"text": "two"})
        await settled(client)

        assert (shown.html, client.reloads) == ("one", ["expired"])
        assert len(one.live.broadcasts) == 0

    asyncio.run(scenario())


def test_a_listener_that_raises_fails_alone() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Chat")
        one.live.broadcasts.publish("room:hall", {"text": 5})
        one.live.broadcasts.publish("room:hall", {"wrong": 5})
        await settled(client)
        one.live.broadcasts.publish("room:hall", {"text": "fine"})
        await settled(client)

        assert [code for _, code, _ in shown.errors] == ["arguments"]
        assert shown.html == "fine"

    asyncio.run(scenario())


def test_other_workers_hear_of_it_and_lost_notices_show_everything_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        # Two notices in one process would be each other's own: only the reader's id differs.
        notices = FileNotices(tmp_path / "notices")
        one = site(notices=notices)
        client, shown = await joined(one, "Chat")
        board, orders = await joined(one, "Board")
        line = '[1,"live.broadcast",{"t":"room:hall","d":{"text":"far"},"p":"$x","s":1}]\n'
        notices.path.write_text(line)
        notices.poll()
        ORDERS[0] = 9
        notices.deliver("notices.missed", {})
        await settled(client, board)
        notices.stop()

        assert (shown.html, orders.html) == ("far", "<b>9</b>")

    asyncio.run(scenario())


def test_broadcasting_without_an_application_or_without_json_says_so() -> None:
    configure_broadcasts(None)
    with pytest.raises(ConfigurationError, match="Make the application first"):
        broadcast("orders")
    one = site(limits=Limits(broadcast_bytes=20))
    configure_broadcasts(one.live.broadcasts.publish)
    with pytest.raises(LiveError, match="of a row its key"):
        broadcast("orders", row=object())
    with pytest.raises(LiveError, match="at most 20"):
        broadcast("orders", text="x" * 30)
    with pytest.raises(ComponentError, match="expected 1 to 200"):
        broadcast("two words")
    broadcast("orders")
    configure_broadcasts(None)


def test_classes_that_can_not_listen_so_are_refused() -> None:
    def made(**members: Any) -> Site:
        return Site(type("Bad", (Component,), members))

    def method(self: Any) -> None: ...
    def other(self: Any) -> None: ...

    with pytest.raises(ComponentError, match="has no field 'rom'"):
        made(heard=listens("room:{rom}")(method))
    with pytest.raises(ComponentError, match="both listen to 'x'"):
        made(a=listens("x")(method), b=listens("x")(other))
    with pytest.raises(ComponentError, match=r"Write subscriptions = \['orders'\]"):
        made(subscriptions="orders")
    with pytest.raises(ComponentError, match="expected a function"):
        listens("x")(property(method))  # type: ignore[type-var]

    class Deaf(Component):
        def mount(self) -> None:
            self.subscribe("x")

        def render(self) -> str:
            return ""

    with pytest.raises(ComponentError, match="listens to nothing"):
        Site(Deaf).page("Deaf")


def test_a_listener_is_not_callable_by_browsers() -> None:
    async def scenario() -> None:
        client, shown = await joined(site(), "Chat")
        await client.call(shown, "heard", "forged")

        assert [code for _, code, _ in shown.errors] == ["refused"]

    asyncio.run(scenario())


def test_an_event_for_a_conversation_that_closed_meanwhile_is_dropped() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Chat")
        conversation: Conversation = client.conversation
        one.live.broadcasts.publish("room:hall", {"text": "late"})
        await conversation.close()
        await settled(client)

        assert shown.html == ""

    asyncio.run(scenario())


def test_what_waits_for_a_component_that_left_is_dropped() -> None:
    async def scenario() -> None:
        one = site(limits=Limits(messages_per_second=1e6, push_seconds=60))
        client, shown = await joined(one, "Chat")
        conversation = client.conversation
        member = conversation._members[shown.n]  # pyright: ignore[reportPrivateUsage]
        one.live.broadcasts.publish("room:hall", {"text": "one"})
        while shown.html != "one":
            await asyncio.sleep(0)
            await client.settle()
        one.live.broadcasts.publish("room:hall", {"text": "two"})
        while not member.waiting:
            await asyncio.sleep(0)
        await client.send(["l", shown.n])
        conversation.push(shown.n, Event("room:hall", {"text": "three"}))
        # What its time would do, which comes after it has left.
        conversation._queue_events(member)  # pyright: ignore[reportPrivateUsage]
        await client.settle()

        assert (shown.html, len(member.waiting), len(member.jobs)) == ("one", 1, 0)

    asyncio.run(scenario())
