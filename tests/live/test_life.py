"""A component over its life: mounted, restored, reset, with slot and session."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from asok import holes
from asok.component import Component, exposed
from asok.live import Html, MemoryLiveStore, SocketSecrets

from .fake_client import FakeClient, wrappers
from .ports import FakeSession, Site
from .scenario import Run, joined


def test_a_reload_and_another_page_with_the_same_identity_show_the_state(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, cid="cart")
        await client.call(shown, "increment")

        _, again = await joined(one, cid="cart", tab="second")
        _, elsewhere = await joined(one, cid="cart", path="/other", tab="third")
        _, stranger = await joined(one, cid="cart", visitor="stranger")

        assert again.html == elsewhere.html == shown.html
        assert stranger.html is None

    run(scenario)


def test_a_visitors_own_page_needs_no_html_again(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, frozen=False, session_id="visitor")
        await client.call(shown, "increment")

        again, _ = await joined(one, frozen=False, session_id="visitor")

        assert again.frames == [["o", 1, 1, 0]]
        await client.call(shown, "increment")
        old = FakeClient(one.live)
        [stale] = await old.join([shown.token])
        assert stale.html is not None
        assert "Count: 2" in stale.html

    run(scenario)


def test_other_values_begin_anew_and_versions_go_on(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, count=10, cid="c")
        await client.call(shown, "increment")

        other, changed = await joined(one, count=20, cid="c", tab="other")
        await other.call(changed, "increment")

        assert changed.html is not None
        assert "Count: 21" in changed.html
        assert changed.version == 2

    run(scenario)


def test_a_tab_that_fell_behind_catches_up(run: Run) -> None:
    async def scenario(one: Site) -> None:
        first, here = await joined(one, cid="c", tab="first")
        second, there = await joined(one, cid="c", tab="second")
        await first.call(here, "increment")
        await second.call(there, "increment")
        await first.call(here, "increment")

        assert here.html == '<p id="c">Count: 3</p><i></i>'
        assert here.version == 3

    run(scenario)


def test_the_session_is_saved_when_it_was_modified(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.call(shown, "remember")
        await client.call(shown, "peek")

        assert one.sessions["visitor"].data == {"pcount": 1}
        assert one.sessions["visitor"].saves == 1
        assert shown.html == '<p id="c">Count: 1</p><i></i>'

    run(scenario)


def test_mounting_happens_once_in_a_life(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Moment", frozen=False, session_id="visitor")
        await client.call(shown, "touch")
        await client.call(shown, "touch")
        assert shown.html == "<b>1</b>"

        frozen, there = await joined(one, "Moment", path="/frozen")
        await frozen.call(there, "touch")
        await frozen.call(there, "touch")
        assert there.html == "<b>1</b>"

    run(scenario)


def test_an_own_constructor_runs_at_every_restore(run: Run) -> None:
    class Own(Component):
        count: int = 0

        def __init__(self, **values: Any) -> None:
            super().__init__(**values)
            self._step = 5

        @exposed
        def add(self) -> None:
            self.count += self._step

        def render(self) -> str:
            return str(self.count)

    async def scenario(one: Site) -> None:
        one.registry.register(Own)
        client, shown = await joined(one, "Own")
        await client.call(shown, "add")
        await client.call(shown, "add")
        assert shown.html == "10"

    run(scenario)


def test_a_component_that_is_only_live_is_sent_at_the_join(run: Run) -> None:
    async def scenario(one: Site) -> None:
        _, shown = await joined(one, client="only", count=4)

        assert shown.html == '<p id="c">Count: 4</p><i></i>'

    run(scenario)


def test_a_slot_comes_back_with_the_sockets_csrf_value() -> None:
    class Box(Component):
        times = 0

        @exposed
        def again(self) -> None:
            self.times += 1

        def render(self) -> str:
            return f"{self.times}{self.slot}{holes.secrets().csrf}"

    async def scenario() -> None:
        one = Site(Box)
        slot = Html('<input type="hidden" name="csrf_token" value="the page\'s">')
        with holes.use(SocketSecrets(csrf="the page's")):
            page = one.page("Box", slot=slot)
        client = FakeClient(one.live, secrets=SocketSecrets(csrf="the socket's"))
        [shown] = await client.join(page)
        await client.call(shown, "again")

        assert shown.html == (
            '1<input type="hidden" name="csrf_token" value="the socket\'s">the socket\'s'
        )

    asyncio.run(scenario())


def test_components_inside_are_the_same_from_render_to_render() -> None:
    class Inner(Component):
        def render(self) -> str:
            return "inner"

    class Outer(Component):
        times = 0

        @exposed
        def again(self) -> None:
            self.times += 1

        @exposed
        def nothing(self) -> None:
            pass

        def render(self) -> str:
            return str(self.times) + str(ONE.live.component("Inner"))

    ONE = Site(Inner, Outer)

    async def scenario() -> None:
        page = ONE.page("Outer", session_id="visitor")
        outer, inner = wrappers(page)
        client = FakeClient(ONE.live)
        [shown] = await client.join([outer["token"]])
        await client.call(shown, "again")
        await client.call(shown, "nothing")

        assert client.frames[-1][0] == "o"
        assert shown.html is not None
        [again] = wrappers(shown.html)
        assert again["cid"] == inner["cid"]
        assert "<script" not in shown.html

    asyncio.run(scenario())


def test_a_session_of_the_network_is_read_before_an_async_method_runs_on_the_loop() -> None:
    read: list[bool] = []

    class Far(FakeSession):
        def __len__(self) -> int:
            read.append(threading.current_thread() is threading.main_thread())
            return super().__len__()

    class Asks(Component):
        name: str = ""

        @exposed
        async def ask(self) -> None:
            def named() -> str:
                return self.session.get("name", "nobody")

            self.name = named()

        def render(self) -> str:
            return self.name

    async def scenario() -> None:
        store = MemoryLiveStore()
        store.blocking = True
        one = Site(Asks, store=store)
        one.sessions["visitor"] = Far({"name": "Ada"})
        client = FakeClient(one.live)
        [shown] = await client.join(one.page("Asks", frozen=True))
        await client.call(shown, "ask")
        assert (shown.html, read) == ("Ada", [False]), "its class says that it asks"

    asyncio.run(scenario())
