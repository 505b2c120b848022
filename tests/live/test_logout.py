"""Sessions that end while components live: nothing comes back."""

from __future__ import annotations

import asyncio

import pytest

from asok.live import owner_of

from .fake_client import FakeClient
from .target import joined, run, site


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

        assert client.reloads == ["session"]
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


@pytest.mark.parametrize("end", ["logout", "login"])
def test_whoever_kept_cookie_and_page_is_shown_nothing_after_the_end(end: str) -> None:
    async def scenario() -> None:
        one = site()
        _, shown = await joined(one, cid="c")
        if end == "logout":
            one.live.drop_session("visitor")
        else:
            one.live.move_session("visitor", "successor")
        await one.live.drain(5)
        thief = FakeClient(one.live, "visitor", "another")
        [seen] = await thief.join([shown.token])
        await thief.call(seen, "$refresh")

        assert thief.reloads == ["session"]
        assert seen.html is None
        assert [code for _, code, _ in seen.errors] == ["not-joined"]

    run(scenario)
