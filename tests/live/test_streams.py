"""Methods that show what they do meanwhile; what hangs; what loads late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError
from asok.live import Limits, owner_of

from .fake_client import FakeClient, Shown
from .ports import Site

HELD = threading.Event()


class Import(Component):
    done: int = 0
    failed: bool = False

    @exposed
    def run(self, rows: int, fail: bool = False) -> Generator[None]:
        for number in range(rows):
            self.done = number + 1
            yield
        if fail:
            raise ValueError
        self.done += 100

    @exposed
    def hang(self) -> Generator[None]:
        self.done = 7
        yield
        HELD.wait(20)
        yield

    @exposed(timeout=20)
    def slow(self) -> None:
        HELD.wait(0.1)
        self.done = 5

    def render(self) -> str:
        return f"<b>{self.done}</b>"


class Soon(Component):
    done: int = 0

    @exposed
    async def run(self, fail: bool = False) -> AsyncGenerator[None]:
        for number in range(3):
            self.done = number + 1
            yield
            await asyncio.sleep(0.03)
        if fail:
            raise ValueError

    @exposed
    async def hang(self) -> AsyncGenerator[None]:
        self.done = 9
        yield
        await asyncio.sleep(20)

    def render(self) -> str:
        return f"<b>{self.done}</b>"


class Late(Component):
    rows: int = 0

    def mount(self) -> None:
        self.rows = len(self.session.get("rows", "12"))

    @exposed
    def more(self) -> None:
        self.rows += 1

    def render_placeholder(self) -> str:
        return "<i>loading</i>"

    def render(self) -> str:
        return f"<b>{self.rows}</b>"


def site(**limits: Any) -> Site:
    HELD.clear()
    return Site(Import, Soon, Late, limits=Limits(messages_per_second=1e6, **limits))


async def joined(one: Site, name: str, **options: Any) -> tuple[FakeClient, Shown]:
    client = FakeClient(one.live)
    [shown] = await client.join(one.page(name, frozen=True, cid="c", **options))
    return client, shown


def steps(client: FakeClient) -> list[tuple[float, int]]:
    """Version and seq of what was shown."""
    return [(f[2], f[-1]) for f in client.frames if f[0] in "hs"]


@pytest.mark.parametrize(("name", "args"), [("Import", (3,)), ("Soon", ())])
def test_each_yield_is_shown_and_the_end_is_kept(name: str, args: tuple[int, ...]) -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, name)
        await client.call(shown, "run", *args)

        assert steps(client)[:3] == [(0.5, 0), (0.5, 0), (0.5, 0)]
        assert shown.version == 1
        assert shown.html == ("<b>103</b>" if name == "Import" else "<b>3</b>")
        assert shown.pending == []

    asyncio.run(scenario())


@pytest.mark.parametrize(("name", "args"), [("Import", (3, True)), ("Soon", (True,))])
def test_what_a_failed_one_had_shown_is_taken_back(name: str, args: tuple[Any, ...]) -> None:
    async def scenario() -> None:
        client, shown = await joined(site(), name)
        await client.call(shown, "run", *args)

        assert [code for _, code, _ in shown.errors] == ["failed"]
        assert (shown.html, shown.version) == ("<b>0</b>", 1)

    asyncio.run(scenario())


def test_time_begins_anew_at_each_yield() -> None:
    async def scenario() -> None:
        client, shown = await joined(site(call_seconds=0.08), "Soon")
        await client.call(shown, "run")
        assert shown.errors == []
        await client.call(shown, "hang")
        assert [code for _, code, _ in shown.errors] == ["timeout"]
        assert shown.html == "<b>3</b>"

    asyncio.run(scenario())


def test_a_generator_that_hangs_is_given_up_and_a_method_may_have_more_time() -> None:
    async def scenario() -> None:
        one = site(call_seconds=0.02)
        client, shown = await joined(one, "Import")
        await client.call(shown, "slow")
        assert (shown.errors, shown.html) == ([], "<b>5</b>")
        await client.call(shown, "hang")
        assert [code for _, code, _ in shown.errors] == ["timeout"]
        HELD.set()
        await one.live.drain(5)
        await client.call(shown, "run", 1)
        assert shown.html == "<b>101</b>"

    asyncio.run(scenario())


def test_a_browser_that_comes_back_in_the_middle_shows_what_is_kept() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Import")
        await client.call(shown, "hang", wait=False)
        await client.wait_for("h")
        pending, shown.pending = shown.pending, []
        await client.reconnect()
        assert (shown.html, shown.version) == ("<b>0</b>", 0.5)

        HELD.set()
        await one.live.drain(5)
        shown.pending = pending
        await client.reconnect()
        assert (shown.html, shown.version) == ("<b>7</b>", 1)

    asyncio.run(scenario())


def test_a_version_that_is_gone_asks_for_a_reload() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Import")
        await client.call(shown, "run", 1)
        await client.call(shown, "run", 1)
        one.live.store._rows.clear()  # type: ignore[attr-defined]
        await client.reconnect()

        assert client.reloads == ["expired"]

    asyncio.run(scenario())


def test_a_refresh_shows_what_there_is_and_writes_nothing() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Soon")
        await client.call(shown, "$refresh")
        await client.call(shown, "$refresh")

        assert [frame[0] for frame in client.frames] == ["o", "h", "o"]
        assert shown.pending == []
        assert one.live.store.load(owner_of("visitor"), "c") is None

    asyncio.run(scenario())


@pytest.mark.parametrize("frozen", [True, False])
def test_a_lazy_component_mounts_when_it_joins(frozen: bool) -> None:
    async def scenario() -> None:
        one = site()
        session = None if frozen else "visitor"
        page = one.page("Late", frozen=frozen, session_id=session, lazy=True)
        assert ' aria-busy="true"><i>loading</i></div>' in page
        client = FakeClient(one.live)
        [shown] = await client.join([one_token(page)])
        assert shown.html == "<b>2</b>"
        await client.call(shown, "more")
        assert shown.html == "<b>3</b>"

    asyncio.run(scenario())
    with pytest.raises(ComponentError, match="would never come"):
        site().page("Late", lazy=True, client="none")


def one_token(page: str) -> str:
    return page.partition('data-asok-state="')[2].partition('"')[0]
