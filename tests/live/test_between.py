"""Components that speak to each other, to the page's scripts, and send the browser on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asok.component import Component, exposed, listens
from asok.errors import ComponentError, LiveError
from asok.live import Limits
from asok.live.outgoing import check_url

from .fake_client import FakeClient, Shown, wrappers
from .ports import Site


class Basket(Component):
    items: int = 0

    @listens("added", "ping")
    def added(self, n: int = 1) -> None:
        self.items += n

    @listens("pong")
    def pong(self) -> None:
        self.emit("ping")

    def render(self) -> str:
        return f"<b>{self.items}</b>"


class Shop(Component):
    sold: int = 0

    @exposed
    def buy(self, n: int, fail: bool = False) -> None:
        self.sold += n
        self.emit("added", n=n)
        self.dispatch("sold", {"n": n})
        if fail:
            raise ValueError

    @exposed
    def leave(self, url: str, external: bool = False) -> None:
        self.redirect(url, external=external)

    @exposed
    def send(self) -> None:
        self.dispatch("x", object())

    def render(self) -> str:
        return f"<i>{self.sold}</i>"


class Left(Component):
    n: int = 0

    @exposed
    @listens("left")
    def go(self) -> None:
        self.n += 1
        self.emit("right")

    def render(self) -> str:
        return str(self.n)


class Right(Component):
    n: int = 0

    @listens("right")
    async def go(self) -> None:
        self.n += 1
        self.emit("left")

    def render(self) -> str:
        return str(self.n)


def site(**options: Any) -> Site:
    limits = Limits(messages_per_second=1e6, push_seconds=0.0001)
    return Site(Basket, Shop, Left, Right, limits=limits, **options)


async def joined(one: Site, *names: str, visitor: str = "visitor") -> tuple[Any, ...]:
    client = FakeClient(one.live, visitor)
    page = "".join(one.page(name, frozen=True, cid=name) for name in names)
    return (client, *await client.join(page))


async def settled(client: FakeClient) -> None:
    for _ in range(30):
        await asyncio.sleep(0.001)
        await client.settle()


def test_an_event_reaches_the_other_components_of_this_page_only() -> None:
    async def scenario() -> None:
        one = site()
        client, shop, basket = await joined(one, "Shop", "Basket")
        other, far = await joined(one, "Basket", visitor="other")
        await client.call(shop, "buy", 3)
        await settled(client)
        await settled(other)

        assert (shop.html, basket.html, far.html) == ("<i>3</i>", "<b>3</b>", "<b>0</b>")
        kinds = [frame[0] for frame in client.frames]
        assert kinds.index("d") > kinds.index("h")
        assert ["d", shop.n, "sold", {"n": 3}, 0] in client.frames

    asyncio.run(scenario())


def test_a_method_that_fails_tells_nobody() -> None:
    async def scenario() -> None:
        client, shop, basket = await joined(site(), "Shop", "Basket")
        await client.call(shop, "buy", 3, True)
        await client.call(shop, "send")
        await settled(client)

        assert basket.html == "<b>0</b>"
        assert {frame[0] for frame in client.frames} == {"o", "e", "h"}

    asyncio.run(scenario())


def test_events_that_go_in_circles_end(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        client, left, right = await joined(site(), "Left", "Right")
        await client.call(left, "go")
        await settled(client)

        assert (left.html, right.html) == ("5", "4")

    asyncio.run(scenario())
    assert "goes in circles" in caplog.text


@pytest.mark.parametrize(
    "url",
    ["\x01javascript:alert(1)", " javascript:alert(1)", "javascript:alert(1)", "/\t/evil.example",
     "/\n/evil.example", "//evil.example", "/\\evil.example", "https://evil.example", "evil",
     "data:text/html,x", "\thttps://evil.example", "JaVaScRiPt:alert(1)"],
)  # fmt: skip
def test_a_browser_is_sent_to_paths_of_this_site_only(url: str) -> None:
    async def scenario() -> None:
        client, shop = await joined(site(), "Shop")
        await client.call(shop, "leave", url)

        assert [code for _, code, _ in shop.errors] == ["failed"]
        assert "g" not in [frame[0] for frame in client.frames]
        if not url.startswith("https:"):
            with pytest.raises(LiveError, match="redirect target"):
                check_url(url, external=True)

    asyncio.run(scenario())


def test_a_path_leads_below_the_mount_and_another_site_is_meant() -> None:
    async def scenario() -> None:
        client, shop = await joined(site(mount="/shop"), "Shop")
        await client.call(shop, "leave", "/thanks?a=1")
        await client.call(shop, "leave", "https://pay.example/1", True)

        assert [frame for frame in client.frames if frame[0] == "g"] == [
            ["g", 1, "/shop/thanks?a=1", 0],
            ["g", 1, "https://pay.example/1", 0],
        ]

    asyncio.run(scenario())


def test_a_key_is_an_identity_among_siblings_whatever_their_order() -> None:
    def cids(*keys: Any, path: str = "/") -> list[str]:
        live = site().live
        with live.page(path):
            return [wrappers(live.component("Shop", key=key))[0]["cid"] for key in keys]

    assert cids(1, "b") == list(reversed(cids("b", 1)))
    assert len({*cids(1, 2), *cids(1, 2, path="/other")}) == 4
    with pytest.raises(ComponentError, match=r"two components Shop beside each other have key=1"):
        cids(1, 2, 1)
    with pytest.raises(ComponentError, match="expected a text or a number"):
        cids(object())
    live = site().live
    with live.page("/"), pytest.raises(ComponentError, match="in place of it"):
        live.component("Shop", key=1, cid="x")


def test_who_left_is_told_nothing_more() -> None:
    async def scenario() -> None:
        one = site()
        client, shop, basket = await joined(one, "Shop", "Basket")
        shown: Shown = basket
        await client.call(shop, "buy", 2, wait=False)
        await client.send(["l", shop.n])
        await settled(client)

        assert shown.html in ("<b>2</b>", "<b>0</b>")
        assert "d" not in [frame[0] for frame in client.frames]

    asyncio.run(scenario())
