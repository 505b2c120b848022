"""What listeners of one broadcast share, and what is each visitor's own."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from asok import holes
from asok.component import Component, listens
from asok.live import Limits, SocketSecrets

from .fake_client import FakeClient, Shown
from .ports import Site
from .scenario import joined, settled

ORDERS = [0]
NUMBERS = count(1)
LIMITS = Limits(messages_per_second=1e6, push_seconds=0.001)


def test_what_one_does_to_an_event_no_other_sees() -> None:
    class Basket(Component):
        items: list[Any] = []  # noqa: RUF012
        owner: str = ""

        @listens("offer")
        def offered(self, items: list[Any]) -> None:
            self.items = items
            self.items[0]["for"] = self.owner

        @listens("sale")
        def sold(self, items: Any) -> None:
            items.append(self.owner)
            self.items = items

        def render(self) -> str:
            return str(self.items)

    async def scenario() -> None:
        one = Site(Basket, limits=LIMITS)
        first, here = await joined(one, "Basket", visitor="a", owner="Ada")
        second, there = await joined(one, "Basket", visitor="b", owner="Bob")
        for topic, ada, bob in (
            ("offer", "[{'for': 'Ada'}]", "[{'for': 'Bob'}]"),
            ("sale", "[{}, 'Ada']", "[{}, 'Bob']"),
        ):
            one.live.broadcasts.publish(topic, {"items": [{}]})
            await settled(first, second)
            assert (here.html, there.html) == (ada, bob)

    asyncio.run(scenario())


def test_a_form_s_csrf_value_is_never_shared() -> None:
    class Form(Component):
        subscriptions = ("orders",)

        def render(self) -> str:
            secrets = holes.secrets()
            return f"{ORDERS[0]} {secrets.csrf} {secrets.nonce} {secrets.tokens}"

    async def scenario() -> None:
        one = Site(Form, limits=LIMITS)
        page = one.page("Form", frozen=True, client="only")
        clients: list[tuple[FakeClient, Shown]] = []
        for name in ("ada", "bob"):
            client = FakeClient(one.live, name, secrets=SocketSecrets(csrf=f"of {name}"))
            clients.append((client, (await client.join(page))[0]))
        ORDERS[0] = 8
        one.live.broadcasts.publish("orders", {})
        await settled(*(client for client, _ in clients))

        assert [shown.html for _, shown in clients] == ["8 of ada  True", "8 of bob  True"]

    asyncio.run(scenario())


def test_who_holds_what_is_no_state_is_rendered_alone() -> None:
    class Clocked(Component):
        subscriptions = ("orders",)

        def mount(self) -> None:
            self._visitor = next(NUMBERS)

        def render(self) -> str:
            return f"{ORDERS[0]} {self._visitor > 0}"

    async def scenario() -> None:
        one = Site(Clocked, limits=LIMITS)
        first, here = await joined(one, "Clocked", visitor="a")
        second, there = await joined(one, "Clocked", visitor="b")
        ORDERS[0] = 6
        one.live.broadcasts.publish("orders", {})
        await settled(first, second)

        assert (here.html, there.html) == ("6 True", "6 True")
        assert next(NUMBERS) == 7, "mounted for each page, join and broadcast"

    asyncio.run(scenario())
