"""One browser's conversation: joins, answers, reconnects, the end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asok.live import Limits, Live, owner_of
from asok.live.conversation import Conversation

from .fake_client import FakeClient, wrappers
from .ports import Site, StoreMaker
from .scenario import Run, Waiting, joined, site


def test_the_first_answer_is_whole_and_the_next_ones_are_differences(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, count=10)
        await client.call(shown, "increment")
        await client.call(shown, "increment")

        assert client.frames == [
            ["o", 1, 0, 0],
            ["h", 1, 1, '<p id="c">Count: 11</p><i></i>', 1],
            ["s", 1, 2, 1, [[18, 1, "2"]], 2],
        ]
        assert shown.html == '<p id="c">Count: 12</p><i></i>'

    run(scenario)


def test_a_click_fits_into_a_hundred_bytes_each_way(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, count=10_000)
        await client.call(shown, "increment")
        await client.call(shown, "increment")

        assert len(client.sent[-1].encode()) <= 100
        assert len(client.received[-1].encode()) <= 100

    run(scenario)


def test_an_async_method_is_awaited(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon")
        await client.call(shown, "increment")
        await client.call(shown, "$model", "count", "7")

        assert shown.html == "<b>7</b>"

    run(scenario)


def test_what_changes_nothing_says_so(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.call(shown, "increment")
        await client.call(shown, "nothing")

        assert client.frames[-1] == ["o", 1, 2, 2]

    run(scenario)


def test_arguments_and_form_data_reach_the_method(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.call(shown, "add", 3)
        await client.call(shown, "add", data={"number": "4", "twice": "on"})
        await client.call(shown, "$model", "note", "<é>")

        assert shown.html == '<p id="c">Count: 11</p><i>&lt;é&gt;</i>'

    run(scenario)


def test_a_rejoin_says_whether_the_version_is_still_there(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, cid="c")
        await client.call(shown, "increment")
        await client.reconnect()
        assert client.frames[-1] == ["o", 1, 1, 0]

        other, there = await joined(one, cid="c", tab="other")
        await other.call(there, "increment")
        await client.reconnect()
        assert client.frames[-1][:3] == ["h", 1, 2]

        await client.send(["j", 1, shown.token, "tab", -1])
        await client.settle()
        assert client.frames[-1][:3] == ["h", 1, 2]

    run(scenario)


def test_calls_after_a_reconnect_are_answered_and_not_run_again(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.call(shown, "increment")
        answered = ["c", 1, 1, "increment", [], None]
        shown.pending = [answered, ["c", 1, 5, "increment", [], None]]
        await client.reconnect()

        assert shown.html == '<p id="c">Count: 2</p><i></i>'
        assert shown.pending == []
        await client.send(answered)
        await client.settle()
        assert client.frames[-1] == ["o", 1, 2, 1]

    run(scenario)


def test_a_rejoin_keeps_the_calls_that_wait(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon")
        await client.call(shown, "wait", wait=False)
        await client.call(shown, "increment", wait=False)
        await client.send(["j", 1, shown.token, "tab", -1])
        Waiting.gate.set()
        await client.settle()

        assert [frame[-1] for frame in client.frames] == [0, 1, 2, 0]
        assert shown.html == "<b>101</b>"

    run(scenario)


def test_leaving_ends_a_component(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.send(["l", 1])
        await client.send(["l", 7])
        await client.call(shown, "increment")

        assert shown.errors == [(1, "not-joined", "The component has not been joined.")]

    run(scenario)


def test_a_closed_conversation_says_nothing_and_finishes_what_runs(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon", cid="c")
        await client.call(shown, "wait", wait=False)
        await asyncio.sleep(0.05)
        await client.conversation.close()
        await client.conversation.close()
        await client.conversation.receive('["l",1]')
        assert len(one.live) == 0
        Waiting.gate.set()
        await client.settle()

        assert client.frames == [["o", 1, 0, 0]]
        row = one.live.store.load(owner_of("visitor"), "c")
        assert row is not None
        assert row.version == 1
        await client.reconnect()
        assert shown.html == "<b>100</b>"

    run(scenario)


def test_a_transport_that_can_not_send_ends_the_conversation_quietly() -> None:
    async def scenario() -> None:
        async def emit(frame: str) -> None:
            raise ConnectionError("gone")

        async def hang_up(code: int, reason: str) -> None:
            raise AssertionError("it is gone already")

        one = site()
        conversation = one.live.conversation("visitor", emit=emit, hang_up=hang_up)
        [wrapper] = wrappers(one.page("Counter", frozen=True))
        for n in (1, 2):
            await conversation.receive(json.dumps(["j", n, wrapper["token"], "tab"]))
        await conversation.settle()
        await conversation.close()

    asyncio.run(scenario())


def test_a_new_csrf_value_is_told(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, _ = await joined(one)
        await client.conversation.renew_csrf("new")

        assert client.csrf == "new"

    run(scenario)


def test_touching_keeps_the_state_of_an_idle_page(make_store: StoreMaker) -> None:
    now = 1_700_000_000.0

    def clock() -> float:
        return now

    async def scenario() -> None:
        nonlocal now
        one = site(store=make_store(seconds=3600, clock=clock), clock=clock)
        idle = FakeClient(one.live)
        idle.conversation.touch()
        client, shown = await joined(one)
        await client.call(shown, "increment")
        for _ in range(5):
            now += 3000
            client.conversation.touch()
        await client.reconnect()
        await client.call(shown, "increment")
        assert shown.html == '<p id="c">Count: 2</p><i></i>'

        now += 3601
        await client.call(shown, "increment")
        assert client.reloads == ["expired"]

    asyncio.run(scenario())


def test_draining_waits_for_what_runs() -> None:
    async def scenario() -> None:
        Waiting.gate = asyncio.Event()
        one = site()
        assert await one.live.drain(0)
        client, shown = await joined(one, "Soon")
        await client.call(shown, "wait", wait=False)
        assert not await one.live.drain(0.01)
        Waiting.gate.set()
        assert await one.live.drain(10)
        assert shown.html == "<b>100</b>"

    asyncio.run(scenario())


def test_the_pause_of_a_fast_sender_is_awaited() -> None:
    async def scenario() -> None:
        waits: list[float] = []

        async def pause(seconds: float) -> None:
            waits.append(seconds)

        async def nothing(*_: Any) -> None:
            pass

        live: Live = site(limits=Limits(messages_per_second=20, burst=2, bad_frames=99)).live
        one = Conversation(live, "v", emit=nothing, hang_up=nothing, pause=pause)
        for _ in range(5):
            await one.receive("[]")

        assert len(waits) == 3
        assert waits == sorted(waits)

    asyncio.run(scenario())
