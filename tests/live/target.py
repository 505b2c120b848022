"""A component to attack, and what was touched that must not be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asok.component import Component, exposed

from .fake_client import FakeClient, Shown
from .ports import Site

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
