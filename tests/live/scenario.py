"""Components for conversations, and a page view that has joined one of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from asok.component import Component, exposed

from .fake_client import FakeClient, Shown
from .ports import Site


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


Run = Callable[[Callable[[Site], Awaitable[None]]], None]


async def joined(one: Site, name: str = "Counter", **options: Any) -> tuple[FakeClient, Shown]:
    visitor = options.pop("visitor", "visitor")
    tab = options.pop("tab", "tab")
    client = FakeClient(one.live, visitor, tab)
    options.setdefault("frozen", True)
    [shown] = await client.join(one.page(name, **options))
    return client, shown


async def settled(*clients: FakeClient) -> None:
    """Wait until what was broadcast has been told."""
    for _ in range(5):
        await asyncio.sleep(0.005)
        for client in clients:
            await client.settle()
