"""States that somebody changed, swapped, kept or found; all refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from asok.component import Component, exposed
from asok.live import owner_of
from asok.live.token import Frozen, Joined, Tokens
from asok.signing import Keys

from .fake_client import FakeClient, wrappers
from .ports import KEYS, Site
from .target import Admin, joined, run, site


def changed(token: str, **values: Any) -> str:
    """A token with other contents and the old signature."""
    tokens = Tokens(KEYS)
    forged = tokens.sign(msgspec.structs.replace(tokens.read(token), **values))
    return forged.split(".")[0] + "." + token.split(".")[1]


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
