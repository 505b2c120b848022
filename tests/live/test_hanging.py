"""What hangs: in its component only, whatever of it hangs, and nothing of it counts later."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import pytest

from asok.component import Component, exposed, listens
from asok.live import Limits, owner_of

from .fake_client import FakeClient, wrappers
from .ports import Site

HELD = threading.Event()
WHERE: ContextVar[str] = ContextVar("tests.where", default="nobody's")
HANGS: set[str] = set()


def patient(one: Site, seconds: float) -> None:
    """Change how long a call may take from here on."""
    one.live.limits = replace(one.live.limits, call_seconds=seconds)


def hang(name: str) -> None:
    if name in HANGS:
        assert HELD.wait(20)


class Late(Component):
    """Hangs where it is told to; its async method says that its rendering does not."""

    n: int = 0

    def mount(self) -> None:
        hang("mount")

    def hydrate(self) -> None:
        hang("hydrate")

    def updated(self, names: set[str]) -> None:
        hang("updated")

    def guard(self) -> bool:
        hang("guard")
        return True

    def unmount(self) -> None:
        hang("unmount")

    @exposed
    def plain(self) -> None:
        self.n += 1

    @exposed
    async def soon(self) -> None:
        self.n += 1

    @listens("news")
    def heard(self) -> None:
        hang("listener")
        self.n += 100

    def render(self) -> str:
        hang("render")
        return f"<b>{self.n}</b>"


class Mounted(Component):
    n: int = 0

    def mount(self) -> None:
        hang("mount")

    @exposed
    async def soon(self) -> None:
        self.n += 1

    def render(self) -> str:
        return f"<b>{self.n}</b>"


class Quick(Component):
    n: int = 0

    @exposed(timeout=20)
    def plain(self) -> None:
        self.n += 1

    @exposed(timeout=0.05)
    def wait(self) -> None:
        self.n += 100

    def render(self) -> str:
        return f"<b>{self.n}</b>"


def site(**limits: Any) -> Site:
    HELD.clear()
    HANGS.clear()
    limits = {"messages_per_second": 1e6, "push_seconds": 0.001, **limits}
    return Site(Late, Mounted, Quick, limits=Limits(**limits))


@pytest.mark.parametrize("name", ["Late", "Mounted"])
def test_a_mount_that_hangs_at_a_join_is_given_up_and_may_be_tried_again(name: str) -> None:
    async def scenario() -> None:
        one = site()
        page = one.page(name, frozen=True, client="only") + one.page("Quick", frozen=True)
        HANGS.add("mount")
        patient(one, 0.05)
        client = FakeClient(one.live)
        late, quick = await client.join(page)
        await client.call(quick, "plain")
        assert late.errors == [(0, "timeout", "The call took too long.")]
        assert quick.html == "<b>1</b>"

        HANGS.clear()
        HELD.set()
        patient(one, 20)
        await client.call(late, "soon")
        assert late.html == "<b>1</b>"

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["plain", "soon"])
@pytest.mark.parametrize("hook", ["hydrate", "updated", "guard", "render"])
def test_a_hook_that_hangs_within_a_call_is_given_up_and_nothing_of_it_counts(
    hook: str, method: str
) -> None:
    async def scenario() -> None:
        one = site()
        client = FakeClient(one.live)
        late, quick = await client.join(
            one.page("Late", frozen=True, cid="late") + one.page("Quick", frozen=True)
        )
        await client.call(late, "plain")
        HANGS.add(hook)
        patient(one, 0.05)
        await client.call(late, method, wait=False)
        await client.call(quick, "plain")
        await client.settle()
        assert quick.html == "<b>1</b>"
        # On a machine that is busy enough not even its thread came in time.
        assert [code for _, code, _ in late.errors] in (["timeout"], ["busy"])

        HANGS.clear()
        HELD.set()
        patient(one, 20)
        assert await one.live.drain(5)
        row = one.live.store.load(owner_of("visitor"), "late")
        assert row is not None
        assert row.state == b'{"n":1}'
        await client.call(late, method)
        assert late.html == "<b>2</b>"

    asyncio.run(scenario())


def test_a_listener_and_an_unmount_that_hang_hold_up_nobody() -> None:
    async def scenario() -> None:
        one = site()
        client = FakeClient(one.live)
        late, quick = await client.join(
            one.page("Late", frozen=True) + one.page("Quick", frozen=True)
        )
        HANGS.update(("listener", "unmount"))
        patient(one, 0.05)
        one.live.broadcasts.publish("news", {})
        await client.wait_for("e")
        await client.send(["l", late.n])
        await client.call(quick, "plain", wait=False)
        while quick.html is None:
            await asyncio.sleep(0.002)
        assert quick.html == "<b>1</b>"
        HELD.set()
        assert await one.live.drain(5)

    asyncio.run(scenario())


def test_a_call_that_got_no_thread_in_time_is_never_run() -> None:
    async def scenario() -> None:
        one = site()
        free = asyncio.Event()

        async def run_sync(function: Any) -> Any:
            await free.wait()
            return await asyncio.to_thread(function)

        client = FakeClient(one.live)
        [quick] = await client.join(one.page("Quick", frozen=True, cid="q"))
        one.live.run_sync = run_sync
        await client.call(quick, "wait")
        assert [code for _, code, _ in quick.errors] == ["busy"]
        free.set()
        assert await one.live.drain(5)
        await asyncio.sleep(0.05)
        assert one.live.store.load(owner_of("visitor"), "q") is None
        await client.call(quick, "plain")
        assert quick.html == "<b>1</b>"

    asyncio.run(scenario())


def test_a_broadcast_carries_nothing_of_the_one_who_sent_it() -> None:
    seen: list[str] = []

    class Ear(Component):
        n: int = 0

        @listens("news")
        def heard(self) -> None:
            seen.append(WHERE.get())

        @exposed
        async def click(self) -> None: ...

        def render(self) -> str:
            seen.append(WHERE.get())
            return ""

    async def scenario() -> None:
        limits = Limits(messages_per_second=1e6, push_seconds=0.001)
        one = Site(Ear, limits=limits)
        client = FakeClient(one.live)
        await client.join([wrappers(one.page("Ear", frozen=True))[0]["token"]])
        seen.clear()

        async def request() -> None:
            WHERE.set("a request's")
            one.live.broadcasts.publish("news", {})
            one.live.broadcasts.publish("news", {})

        await asyncio.create_task(request())
        while len(seen) < 2:
            await asyncio.sleep(0.001)
        await client.settle()

    asyncio.run(scenario())
    assert set(seen) == {"nobody's"}
