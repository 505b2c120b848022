"""Frames, tokens and calls of somebody who means harm; the server refuses and lives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from asok.component import Component, exposed
from asok.live import Limits, owner_of
from asok.live.token import Frozen, Joined, Tokens
from asok.signing import Keys

from .conftest import KEYS, Site
from .fake_client import FakeClient, Shown, wrappers

TOUCHED: list[str] = []


class Base(Component):
    count: int = 0
    role: str = "guest"
    _bindable = ("count",)
    _secret = "hidden value"

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)

    @exposed
    def increment(self) -> None:
        self.count += 1

    @exposed
    def closed(self) -> None:
        TOUCHED.append("closed")

    def hidden(self) -> None:
        TOUCHED.append("hidden")

    def _private(self) -> None:
        TOUCHED.append("_private")

    @property
    def double(self) -> int:
        TOUCHED.append("double")
        return 0

    def render(self) -> str:
        return f"<b>{self.count}</b>"


class Counter(Base):
    def closed(self) -> None:
        TOUCHED.append("override")


class Admin(Component):
    count: int = 0

    @exposed
    def increment(self) -> None:
        TOUCHED.append("admin")

    def render(self) -> str:
        return "admin"


def site(**options: Any) -> Site:
    TOUCHED.clear()
    return Site(Counter, Admin, **options)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


async def joined(one: Site, **options: Any) -> tuple[FakeClient, Shown]:
    client = FakeClient(one.live)
    options.setdefault("session_id", "visitor")
    [shown] = await client.join(one.page("Counter", **options))
    return client, shown


def changed(token: str, **values: Any) -> str:
    """A token with other contents and the old signature."""
    tokens = Tokens(KEYS)
    forged = tokens.sign(msgspec.structs.replace(tokens.read(token), **values))
    return forged.split(".")[0] + "." + token.split(".")[1]


# States.


@pytest.mark.parametrize(
    "values",
    [{"name": "Admin"}, {"cid": "another"}, {"owner": owner_of("x")}, {"version": 9},
     {"issued": 9_999_999_999}, {"state": msgspec.Raw(b'{"count":999}')},
     {"props": msgspec.Raw(b'{"role":"admin"}')}],
)  # fmt: skip
def test_no_part_of_a_state_may_be_changed(values: dict[str, Any]) -> None:
    async def scenario() -> None:
        one = site()
        client = FakeClient(one.live)
        token = wrappers(one.page("Counter", session_id="visitor"))[0]["token"]
        await client.join([changed(token, **values)])

        assert client.reloads == ["signature"]
        await client.send(["c", 1, 1, "increment", [], None])
        assert client.frames[-1][3] == "not-joined"

    run(scenario)


def test_a_state_of_another_session_is_refused() -> None:
    async def scenario() -> None:
        client, _ = await joined(site(), session_id="somebody else")

        assert client.reloads == ["session"]

    run(scenario)


def test_an_old_state_never_comes_back() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one)
        old = shown.token
        for _ in range(3):
            await client.call(shown, "increment")

        again = FakeClient(one.live, tab="another")
        [stale] = await again.join([old])
        await again.call(stale, "increment")
        assert stale.html == "<b>4</b>"

    run(scenario)


def test_an_expired_state_asks_for_a_reload() -> None:
    now = 1_700_000_000.0

    async def scenario() -> None:
        nonlocal now
        one = site(clock=lambda: now)
        page = one.page("Counter", session_id="visitor")
        frozen = one.page("Counter", frozen=True, path="/frozen")
        now += 3601
        client = FakeClient(one.live)
        await client.join(page)
        assert client.reloads == ["expired"]

        [shown] = await client.join(frozen)
        await client.call(shown, "increment")
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_a_class_with_other_fields_asks_for_a_reload_and_a_frozen_page_goes_on() -> None:
    def version(**fields: Any) -> Site:
        made: Any = type(
            "Counter",
            (Component,),
            {
                "__annotations__": {"count": int, **dict.fromkeys(fields, int)},
                "count": 0,
                **fields,
                "increment": exposed(increment),
                "render": lambda self: f"<b>{self.count}</b>",
            },
        )
        return Site(made)

    async def scenario() -> None:
        before, same, after = version(), version(), version(more=1)
        page = before.page("Counter", session_id="visitor", count=5)
        frozen = before.page("Counter", frozen=True, count=5)

        [shown] = await (deployed := FakeClient(same.live)).join(page)
        await deployed.call(shown, "increment")
        assert shown.html == "<b>6</b>"

        client = FakeClient(after.live)
        await client.join(page)
        assert client.reloads == ["schema"]
        [shown] = await client.join(frozen)
        await client.call(shown, "increment")
        assert shown.html == "<b>6</b>"

    run(scenario)


def increment(self: Any) -> None:
    self.count += 1


def test_values_that_a_changed_class_does_not_take_ask_for_a_reload() -> None:
    class Renamed(Component):
        amount: int = 0

        @exposed
        def touch(self) -> None: ...

    Renamed.__name__ = "Counter"

    async def scenario() -> None:
        page = site().page("Counter", frozen=True, count=5)
        client = FakeClient(Site(Renamed).live)
        [shown] = await client.join(page)
        await client.call(shown, "touch")
        assert client.reloads == ["schema"]

    run(scenario)


def test_a_class_that_is_gone_asks_for_a_reload() -> None:
    async def scenario() -> None:
        page = site().page("Counter", frozen=True)
        client = FakeClient(Site(Admin).live)
        await client.join(page)

        assert client.reloads == ["schema"]

    run(scenario)


def test_the_old_key_verifies_and_a_removed_one_does_not() -> None:
    async def scenario() -> None:
        old = site(keys=Keys(["old"]))
        page = old.page("Counter", session_id="visitor")

        rotated = FakeClient(site(keys=Keys(["old", "new"])).live)
        await rotated.join(page)
        assert rotated.reloads == []

        removed = FakeClient(site(keys=Keys(["new"])).live)
        await removed.join(page)
        assert removed.reloads == ["signature"]

    run(scenario)


def test_bad_signatures_end_the_socket() -> None:
    async def scenario() -> None:
        client = FakeClient(site().live)
        for n in range(1, 4):
            assert client.closed is None
            await client.send(["j", n, "forged.token", "tab"])
        assert client.closed is not None
        assert client.closed[0] == 1008
        await client.send(["j", 4, "forged.token", "tab"])
        assert len(client.frames) == 3

    run(scenario)


# Calls.


@pytest.mark.parametrize(
    "method",
    [
        "__init__", "__class__", "_private", "_secret", "hidden", "double", "render", "mount",
        "html", "count", "session", "closed", "increment ", "increment.__call__", "Increment",
        "__asok_methods__", "$model", "$refresh", "__setattr__",
    ],
)  # fmt: skip
def test_only_what_is_exposed_runs(method: str) -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, cid="c")
        await client.call(shown, method)

        assert next(code for _, code, _ in shown.errors) in ("refused", "malformed")
        assert TOUCHED == []
        assert one.live.store.load(owner_of("visitor"), "c") is None

    run(scenario)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "admin"), ("_secret", "x"), ("__class__", "x"), ("count.__class__", "x"),
        ("a.b.c.d.e.f.g.h.i.j.k", 1), ("count", [1]), ("count", {"a": 1}), ("count", "x"),
        ("count", None), ("session", {}), ("", 1), (1, 1), (["count"], 1), ("increment", 1),
    ],
)  # fmt: skip
def test_only_declared_fields_are_written_with_values_of_their_type(field: Any, value: Any) -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        await client.call(shown, "$model", field, value)
        await client.call(shown, "increment")

        assert len(shown.errors) == 1
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_a_call_before_a_join_is_refused() -> None:
    async def scenario() -> None:
        client = FakeClient(site().live)
        await client.send(["c", 1, 1, "increment", [], None])

        assert client.frames[0][:4] == ["e", 1, 1, "not-joined"]

    run(scenario)


def test_too_many_components_are_refused() -> None:
    async def scenario() -> None:
        one = site(limits=Limits(components=3, messages_per_second=1e6))
        client = FakeClient(one.live)
        token = wrappers(one.page("Counter", frozen=True))[0]["token"]
        await client.join([token] * 4)
        assert client.frames[-1][3] == "too-many" or ["e", 4, 0] in [f[:3] for f in client.frames]
        await client.send(["l", 1])
        await client.join([token])

        assert [f[3] for f in client.frames if f[0] == "e"] == ["too-many"]

    run(scenario)


def test_the_components_of_one_socket_are_at_most_64_by_default() -> None:
    async def scenario() -> None:
        one = site()
        client = FakeClient(one.live)
        token = wrappers(one.page("Counter", frozen=True))[0]["token"]
        await client.join([token] * 65)

        assert [f[:4] for f in client.frames if f[0] == "e"] == [["e", 65, 0, "too-many"]]

    run(scenario)


# Frames.


@pytest.mark.parametrize(
    "text",
    ["[]", "1", "null", "{}", '["c",1,1,"increment",[NaN],null]', "[" * 10_000, "\x00",
     '["c",1,1,"increment",[' + "[" * 5000 + "]" * 5000 + "],null]", '["j",1,2,3]', b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_frame_is_answered_and_the_conversation_goes_on(text: str | bytes) -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        await client.conversation.receive(text)
        await client.call(shown, "increment")

        assert ["e", 0, 0, "malformed", "This is no frame."] in client.frames
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_many_of_them_end_the_socket() -> None:
    async def scenario() -> None:
        client = FakeClient(site().live)
        for _ in range(20):
            await client.conversation.receive("null")

        assert client.closed == (1008, "too many frames that are none")

    run(scenario)


@pytest.mark.parametrize("filler", ["x", "é"])
def test_a_frame_over_the_limit_ends_the_socket(filler: str) -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        frame = json.dumps(["c", 1, 1, "increment", [], {"a": ""}], separators=(",", ":"))
        room = (64 * 1024 - len(frame)) // len(filler.encode())
        await client.conversation.receive(frame.replace('""', f'"{filler * room}"'))
        await client.settle()
        assert client.closed is None
        assert shown.html == "<b>1</b>"

        await client.conversation.receive(frame.replace('""', f'"{filler * (room + 1)}"'))
        assert client.closed is not None
        assert client.closed[0] == 1009

    run(scenario)


def test_special_names_in_form_data_are_plain_names() -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        data = {"__proto__": {"a": 1}, "constructor": 1, "self": 1, "__class__": "x"}
        await client.call(shown, "increment", data=data)

        assert shown.html == "<b>1</b>"

    run(scenario)


# Sessions that end.


def test_a_logout_closes_the_sockets_and_no_call_follows() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, cid="c")
        await client.call(shown, "increment")
        other = FakeClient(one.live, "somebody else")

        await asyncio.to_thread(one.live.drop_session, "visitor")
        await one.live.drain(5)

        assert client.closed == (1008, "session")
        assert client.reloads == ["session"]
        assert other.closed is None
        assert one.live.store.load(owner_of("visitor"), "c") is None

    run(scenario)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_call_in_flight_at_logout_revives_nothing(fresh: bool) -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, cid="c")
        if not fresh:
            await client.call(shown, "increment")
        # Another worker ended the session; its notice has not come yet.
        one.live.store.drop(owner_of("visitor"))
        await client.call(shown, "increment")

        assert client.reloads in (["gone"], ["expired"])
        assert one.live.store.load(owner_of("visitor"), "c") is None

    run(scenario)


def test_a_session_that_ends_between_start_and_commit_is_not_revived() -> None:
    async def scenario() -> None:
        def step(name: str) -> None:
            if name == "rendered":
                one.live.store.drop(owner_of("visitor"))

        one = site(on_step=step)
        client, shown = await joined(one, cid="c")
        await client.call(shown, "increment")

        assert client.reloads == ["gone"]
        assert one.live.store.load(owner_of("visitor"), "c") is None

    run(scenario)


# What leaves the server.


def test_nothing_private_is_in_the_page() -> None:
    one = site()
    for frozen in (True, False):
        page = one.page("Counter", session_id="visitor", frozen=frozen)
        token = one.live.tokens.read(wrappers(page)[0]["token"])
        assert b"hidden value" not in msgspec.json.encode(token)
        assert b"visitor" not in msgspec.json.encode(token)
        assert isinstance(token, Frozen | Joined)


def test_errors_tell_a_stranger_nothing() -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        await client.call(shown, "hidden")

        assert shown.errors == [(1, "refused", "This may not be called.")]

    run(scenario)


def test_a_thousand_tabs_leave_nothing_behind() -> None:
    async def scenario() -> None:
        one = site()
        page = one.page("Counter", session_id="visitor")
        for number in range(1000):
            client = FakeClient(one.live, tab=f"tab{number}")
            [shown] = await client.join(page)
            await client.call(shown, "increment")
            await client.conversation.close()

        assert len(one.live) == 0
        assert len(one.live.bases) == 0
        assert await one.live.drain(5)
        row = one.live.store.load(owner_of("visitor"), wrappers(page)[0]["cid"])
        assert row is not None
        assert len(row.tabs) == 16

    run(scenario)
