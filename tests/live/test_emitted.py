"""What a component emits reaches the others of its page, however late they are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest

from asok.component import Component, exposed, listens
from asok.live import Limits

from .fake_client import FakeClient, wrappers
from .ports import Site

#: Lets a tally be taken up.
OPEN = threading.Event()


class Book(Component):
    @exposed
    def sign(self, name: str) -> None:
        self.emit("signed", name=name)

    def render(self) -> str:
        return "book"


class Tally(Component):
    names: str = ""

    def mount(self) -> None:
        assert OPEN.wait(30)

    @listens("signed")
    def count(self, name: str) -> None:
        self.names += name

    def render(self) -> str:
        return self.names


@pytest.fixture(autouse=True)
def opened() -> Generator[None]:
    OPEN.set()
    yield
    OPEN.set()


async def joined(site: Site) -> FakeClient:
    """A browser whose join of the tally is not answered while it can't be taken up."""
    client = FakeClient(site.live)
    for n, name in enumerate(("Book", "Tally"), start=1):
        [found] = wrappers(site.page(name, frozen=True))
        if name == "Tally":
            OPEN.clear()
        await client.send(["j", n, found["token"], "tab", None])
    return client


def tally(client: FakeClient) -> str:
    """What the tally shows, by the last frame that says it whole."""
    return [frame[3] for frame in client.frames if frame[:2] == ["h", 2]][-1]


def site() -> Site:
    return Site(Book, Tally, limits=Limits(messages_per_second=1e6, push_seconds=3600))


def test_who_is_still_joining_hears_what_is_emitted_meanwhile() -> None:
    async def main() -> None:
        client = await joined(site())
        for seq, name in enumerate("abc", start=1):
            await client.send(["c", 1, seq, "sign", [name], None])
        while not any(frame[:2] == ["o", 1] and frame[3] == 3 for frame in client.frames):
            await asyncio.sleep(0.001)
        assert not any(frame[1] == 2 for frame in client.frames)
        OPEN.set()
        await client.settle()
        assert tally(client) == "abc"

    asyncio.run(main())


def test_what_is_emitted_in_a_row_is_taken_before_a_request_is_answered() -> None:
    async def main() -> None:
        client = await joined(site())
        OPEN.set()
        await client.settle()
        for seq, name in enumerate("abc", start=1):
            await client.send(["c", 1, seq, "sign", [name], None])
            await client.settle()
        assert tally(client) == "abc"
        assert client.conversation.quiet

    asyncio.run(main())
