"""One browser's conversation: joins, calls, answers, ends."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asok import holes
from asok.component import Component, exposed
from asok.live import Html, Limits, Live, SocketSecrets, owner_of
from asok.live.conversation import Conversation

from .conftest import Site, StoreMaker
from .fake_client import FakeClient, Shown, wrappers


class Waiting:
    """What the methods that wait are waiting for: an event of the test's own loop."""

    gate: asyncio.Event


class Counter(Component):
    count = 0
    note: str = ""
    _bindable = ("note", "count")

    @exposed
    def increment(self) -> None:
        self.count += 1

    @exposed
    def add(self, number: int, twice: bool = False) -> None:
        self.count += number * (2 if twice else 1)

    @exposed
    def nothing(self) -> None:
        pass

    @exposed
    def fail(self) -> None:
        self.count = -1
        raise ValueError("secret detail")

    @exposed
    def spoil(self) -> None:
        setattr(self, "count", "many")  # noqa: B010

    @exposed
    def remember(self) -> None:
        self.session["pcount"] = self.session.get("pcount", 0) + 1
        self.session.modified = True

    @exposed
    def peek(self) -> None:
        self.count = self.session.get("pcount", 0)

    def render(self) -> str:
        return self.html("counter.html")


class Soon(Component):
    count = 0
    _bindable = ["count"]  # noqa: RUF012

    @exposed
    async def increment(self) -> None:
        await asyncio.sleep(0)
        self.count += 1

    @exposed
    async def wait(self) -> None:
        await Waiting.gate.wait()
        self.count += 100

    @exposed
    async def fail(self) -> None:
        raise TimeoutError("its own")

    def render(self) -> str:
        return f"<b>{self.count}</b>"


class Slow(Component):
    count = 0

    @exposed
    def wait(self) -> None:
        BLOCK.wait(30)
        self.count += 100

    @exposed
    def quick(self) -> None:
        self.count += 1

    def render(self) -> str:
        return f"<b>{self.count}</b>"


class Moment(Component):
    mounts: int = 0

    def mount(self) -> None:
        self.mounts += 1

    @exposed
    def touch(self) -> None:
        pass

    def render(self) -> str:
        return f"<b>{self.mounts}</b>"


BLOCK = threading.Event()
TEMPLATES = {"counter.html": '<p id="c">Count: {{ count }}</p><i>{{ note }}</i>'}


def site(**options: Any) -> Site:
    return Site(Counter, Soon, Slow, Moment, templates=TEMPLATES, **options)


@pytest.fixture
def run(make_store: StoreMaker) -> Callable[[Callable[[Site], Awaitable[None]]], None]:
    """Run a scenario with a site over each store."""

    def go(scenario: Callable[[Site], Awaitable[None]]) -> None:
        async def main() -> None:
            Waiting.gate = asyncio.Event()
            BLOCK.clear()
            one = site(store=make_store())
            await scenario(one)
            BLOCK.set()
            assert await one.live.drain(10)

        asyncio.run(main())

    return go


Run = Callable[[Callable[[Site], Awaitable[None]]], None]


async def joined(one: Site, name: str = "Counter", **options: Any) -> tuple[FakeClient, Shown]:
    visitor = options.pop("visitor", "visitor")
    tab = options.pop("tab", "tab")
    client = FakeClient(one.live, visitor, tab)
    options.setdefault("frozen", True)
    [shown] = await client.join(one.page(name, **options))
    return client, shown


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


def test_a_component_that_raises_fails_alone_and_keeps_its_state(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Site) -> None:
        client = FakeClient(one.live)
        one_page = one.page("Counter", frozen=True) + one.page("Counter", path="/b", frozen=True)
        bad, good = await client.join(one_page)
        await client.call(bad, "increment")
        seq = await client.call(bad, "fail")
        await client.call(good, "increment")
        await client.call(bad, "increment")

        assert bad.errors == [(seq, "failed", "The call failed.")]
        assert good.html is not None
        assert "Count: 1" in good.html
        assert bad.html is not None
        assert "Count: 2" in bad.html

        await client.send(["c", bad.n, seq, "fail", [], None])
        await client.settle()
        assert client.frames[-1][0] == "o"

    run(scenario)
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (record.__dict__["component"], record.__dict__["method"]) == ("Counter", "fail")
    assert record.__dict__["session"] == owner_of("visitor")
    assert record.exc_info is not None


def test_a_state_that_can_not_be_kept_fails_the_call(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.call(shown, "spoil")
        await client.call(shown, "increment")

        assert shown.errors[0][1] == "failed"
        assert shown.html == '<p id="c">Count: 1</p><i></i>'

    run(scenario)


def test_an_async_method_that_raises_fails_its_call(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon")
        await client.call(shown, "fail")
        await client.call(shown, "increment")

        assert [code for _, code, _ in shown.errors] == ["failed"]
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_errors_are_shown_in_development_only() -> None:
    async def scenario() -> None:
        client, shown = await joined(site(show_errors=True))
        await client.call(shown, "fail")
        await client.call(shown, "fial")

        assert shown.errors[0][2] == "ValueError('secret detail')"
        assert "no exposed method 'fial'" in shown.errors[1][2]

    asyncio.run(scenario())


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
        one = site(limits=Limits(messages_per_second=1e6, call_seconds=0.05))
        client, shown = await joined(one, name)
        await client.call(shown, "wait")
        assert [code for _, code, _ in shown.errors] == ["timeout"]
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


def test_leaving_ends_a_component(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.send(["l", 1])
        await client.send(["l", 7])
        await client.call(shown, "increment")

        assert shown.errors == [(1, "not-joined", "The component has not been joined.")]

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
