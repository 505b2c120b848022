"""Hooks and guards: what is called when, and who is refused."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from asok.component import Component, exposed, listens
from asok.errors import ComponentError
from asok.live import Limits

from .fake_client import FakeClient, Shown, wrappers
from .ports import Site

LOG: list[str] = []


class Draft(Component):
    title: str = ""
    words: list[str] = []  # noqa: RUF012
    _bindable = ("title",)

    def mount(self) -> None:
        LOG.append("mount")

    def hydrate(self) -> None:
        LOG.append("hydrate")
        self._limit = 3

    def updated(self, names: set[str]) -> None:
        LOG.append("updated " + ",".join(sorted(names)))
        self.title = self.title[: getattr(self, "_limit", 3)]

    def unmount(self) -> None:
        LOG.append("unmount")
        if self.title == "bad":
            raise ValueError("in unmount")

    @exposed
    def add(self, word: str) -> None:
        self.words.append(word)

    @exposed
    def nothing(self) -> None:
        pass

    def render(self) -> str:
        return self.title


class Admin(Component):
    clicks: int = 0

    def guard(self) -> bool:
        return self.session.get("role") == "admin"

    @listens("news")
    def heard(self) -> None:
        self.clicks += 100

    @exposed
    def click(self) -> None:
        self.clicks += 1

    def render(self) -> str:
        return f"secret {self.clicks}"


def site(**options: Any) -> Site:
    LOG.clear()
    limits = Limits(messages_per_second=1e6, push_seconds=0.001)
    return Site(Draft, Admin, limits=limits, **options)


async def joined(one: Site, name: str, **options: Any) -> tuple[FakeClient, Shown]:
    client = FakeClient(one.live, admit=options.pop("admit", None))
    [shown] = await client.join(one.page(name, session_id="visitor", cid="c", **options))
    return client, shown


def test_each_hook_has_its_moment() -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Draft")
        assert LOG == ["mount"]
        await client.call(shown, "add", "x")
        await client.call(shown, "nothing")
        await client.call(shown, "$model", "title", "long title")
        assert LOG[1:] == ["hydrate", "updated words", "hydrate", "hydrate", "updated title"]
        assert shown.html == "lon"
        LOG.clear()
        await client.send(["l", 1])
        await one.live.drain(5)
        assert LOG == ["hydrate", "unmount"]

    asyncio.run(scenario())


def test_a_socket_that_closes_unmounts_and_what_fails_there_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, "Draft")
        await client.call(shown, "$model", "title", "bad")
        await client.conversation.close()
        await one.live.drain(5)
        gone, _ = await joined(one, "Draft")
        one.live.store.drop(gone.conversation.owner)
        with caplog.at_level(logging.DEBUG, "asok.live"):
            await gone.conversation.close()
            await one.live.drain(5)

    asyncio.run(scenario())
    assert LOG.count("unmount") == 1
    assert "Draft.unmount failed" in caplog.text


def test_a_component_s_guard_is_asked_on_the_page_at_the_join_and_before_each_call() -> None:
    async def scenario() -> None:
        one = site()
        assert one.page("Admin", session_id="visitor", client="none") == ""
        assert wrappers(one.page("Admin", session_id="visitor")) == []
        one.session("visitor")["role"] = "admin"
        page = one.page("Admin", session_id="visitor", cid="c")
        client, shown = await joined(one, "Admin")
        await client.call(shown, "click")
        assert shown.html == "secret 1"

        one.session("visitor")["role"] = "guest"
        await client.call(shown, "click")
        assert client.reloads == ["guard"]
        again = FakeClient(one.live)
        await again.join(page)
        assert again.frames == [["r", "guard"]]

        one.session("visitor")["role"] = "admin"
        third, there = await joined(one, "Admin")
        assert there.html == "secret 1"
        one.session("visitor")["role"] = "guest"
        one.live.broadcasts.publish("news", {})
        await third.wait_for("r")
        assert there.html == "secret 1"

    asyncio.run(scenario())


def test_the_guards_of_the_page_are_asked_for_each_join_call_and_broadcast() -> None:
    async def scenario() -> None:
        allowed, asked = [True], list[str]()

        async def admit(path: str) -> bool:
            asked.append(path)
            return allowed[0]

        one = site()
        client, shown = await joined(one, "Draft", path="/admin", admit=admit)
        await client.call(shown, "add", "x")
        assert asked == ["/admin", "/admin"]
        allowed[0] = False
        await client.call(shown, "add", "y")
        assert client.reloads == ["guard"]
        other, _ = await joined(one, "Draft", path="/admin", admit=admit)
        assert other.reloads == ["guard"]
        assert asked == ["/admin"] * 4

    asyncio.run(scenario())


def test_a_component_inside_another_one_has_the_page_s_guards_too() -> None:
    async def scenario() -> None:
        paths: list[str] = []

        async def admit(path: str) -> bool:
            paths.append(path)
            return True

        class Outer(Component):
            times: int = 0

            @exposed
            def again(self) -> None:
                self.times += 1

            def render(self) -> str:
                return f"{self.times}{ONE.live.component('Draft')}"

        ONE = site()
        ONE.registry.register(Outer)
        client = FakeClient(ONE.live, admit=admit)
        outer, _ = wrappers(ONE.page("Outer", path="/p", session_id="visitor"))
        [shown] = await client.join([outer["token"]])
        await client.call(shown, "again")
        assert shown.html is not None
        await client.join(shown.html)

        assert paths == ["/p"] * 3

    asyncio.run(scenario())


def test_hooks_are_plain_functions() -> None:
    async def hydrate(self: Any) -> None: ...

    with pytest.raises(ComponentError, match=r"Bad\.hydrate is async"):
        Site(type("Bad", (Component,), {"hydrate": hydrate}))
