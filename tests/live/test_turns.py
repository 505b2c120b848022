"""Who runs when: order, hanging methods, several tabs, what left meanwhile."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from asok.live import Limits, owner_of

from .fake_client import FakeClient, Shown
from .ports import Site
from .scenario import BLOCK, Run, Waiting, joined, site


def test_a_slow_component_does_not_hold_up_the_others(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client = FakeClient(one.live)
        slow, soon, quick = await client.join(
            "".join(one.page(name, frozen=True) for name in ("Slow", "Soon", "Counter"))
        )
        await client.call(slow, "wait", wait=False)
        await client.call(soon, "wait", wait=False)
        await client.call(quick, "increment", wait=False)
        await client.wait_for("h")

        assert quick.html == '<p id="c">Count: 1</p><i></i>'
        assert slow.html is None
        Waiting.gate.set()
        BLOCK.set()
        await client.settle()
        assert slow.html == soon.html == "<b>100</b>"

    run(scenario)


def test_one_components_calls_run_in_their_order(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon")
        await client.call(shown, "wait", wait=False)
        for _ in range(5):
            await client.call(shown, "increment", wait=False)
        Waiting.gate.set()
        await client.settle()

        assert [frame[-1] for frame in client.frames[1:]] == [1, 2, 3, 4, 5, 6]
        assert shown.html == "<b>105</b>"

    run(scenario)


def test_two_tabs_at_once_lose_nothing(run: Run) -> None:
    async def scenario(one: Site) -> None:
        clients = [await joined(one, "Soon", cid="c", tab=f"tab{n}") for n in range(4)]

        async def click(client: FakeClient, shown: Shown) -> None:
            for _ in range(10):
                await client.call(shown, "increment", wait=False)
            await client.settle()

        await asyncio.gather(*(click(*one) for one in clients))

        row = one.live.store.load(owner_of("visitor"), "c")
        assert row is not None
        assert row.version == 40
        assert json.loads(row.state) == {"count": 40}

    run(scenario)


@pytest.mark.parametrize(("name", "event"), [("Slow", BLOCK), ("Soon", None)])
def test_a_method_that_hangs_is_given_up_and_changes_nothing(name: str, event: Any) -> None:
    async def scenario() -> None:
        Waiting.gate = asyncio.Event()
        BLOCK.clear()
        one = site(limits=Limits(messages_per_second=1e6, call_seconds=0.05), show_errors=True)
        client, shown = await joined(one, name)
        await client.call(shown, "wait")
        [(_, code, why)] = shown.errors
        assert code == "timeout"
        assert f"{name}.wait took too long." in why
        assert "scenario.py:" in why
        BLOCK.set()
        Waiting.gate.set()
        await client.call(shown, "quick" if event else "increment")
        assert shown.html == "<b>1</b>"

    asyncio.run(scenario())


def test_a_turn_that_never_comes_is_given_up() -> None:
    async def scenario() -> None:
        one = site(limits=Limits(messages_per_second=1e6, turn_seconds=0.01))
        client, shown = await joined(one, cid="c")
        held = one.live.store.acquire(owner_of("visitor"), "c")
        assert held is not None
        await client.call(shown, "increment")
        held.release()

        assert [code for _, code, _ in shown.errors] == ["busy"]

    asyncio.run(scenario())


def test_too_many_waiting_calls_are_refused_in_their_place(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon")
        for _ in range(70):
            await client.call(shown, "wait", wait=False)
        Waiting.gate.set()
        await client.settle()

        seqs = [f[2] if f[0] == "e" else f[-1] for f in client.frames[1:]]
        assert seqs == list(range(1, 71))
        assert {code for _, code, _ in shown.errors} == {"busy"}

    run(scenario)


@pytest.mark.parametrize("method", ["wait", "fail", "gone"])
def test_what_left_meanwhile_is_not_answered(method: str) -> None:
    async def scenario() -> None:
        Waiting.gate = asyncio.Event()
        one = site()
        client, shown = await joined(one, "Soon", cid="c")
        held = one.live.store.acquire(owner_of("visitor"), "c")
        assert held is not None
        await client.call(shown, "increment" if method == "gone" else method, wait=False)
        await asyncio.sleep(0)
        await client.send(["l", 1])
        if method == "gone":
            one.live.store.drop(owner_of("visitor"))
        Waiting.gate.set()
        held.release()
        await client.settle()

        assert client.frames == [["o", 1, 0, 0]]

    asyncio.run(scenario())


def test_a_replay_that_left_meanwhile_is_not_answered() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, cid="c")
        await client.call(shown, "increment")
        one.live.bases.drop((client.conversation._screen._serial, 1))  # pyright: ignore
        await client.send(["c", 1, 1, "increment", [], None])
        held = one.live.store.acquire(owner_of("visitor"), "c")
        assert held is not None
        await client.send(["l", 1])
        held.release()
        await client.settle()

        assert len(client.frames) == 2

    asyncio.run(scenario())


def test_a_call_that_a_dead_worker_had_begun_is_not_run_again(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, cid="c")
        await client.call(shown, "increment")
        row = one.live.store.load(owner_of("visitor"), "c")
        assert row is not None
        begun = replace(row, tabs={"tab": (2, 1)}, revision=row.revision + 1)
        assert one.live.store.save(owner_of("visitor"), "c", begun, replaces=row.revision)

        await client.call(shown, "increment")
        await client.call(shown, "increment")
        await client.send(["c", 1, 2, "increment", [], None])
        await client.settle()

        assert [code for _, code, _ in shown.errors] == ["unknown"]
        assert shown.html == '<p id="c">Count: 2</p><i></i>'
        assert client.frames[-1] == ["o", 1, 2, 2]

    run(scenario)
