"""States of pages that ask by HTTP live on while they ask."""

from __future__ import annotations

import asyncio
import html
import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.live.fake_client import FakeClient, Shown, wrappers
from tests.live.target import site
from tests.site import load_site, write_site

from asok.asgi import live_lives
from asok.asgi.live_lives import LiveLives
from asok.live import MemoryLiveStore

SITE = {
    "src/components/Counter.py": """\
        from asok import Component, exposed

        class Counter(Component):
            count: int = 0

            @exposed
            def add(self):
                self.count += 1

            def render(self):
                return f"<b>{self.count}</b>"
        """,
    "src/pages/page.html": "{{ component('Counter') }}",
}


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Counting(MemoryLiveStore):
    broken = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(seconds=3600, clock=clock)
        self.touched: list[list[str]] = []

    def touch(self, owner: str, cids: Iterable[str]) -> None:
        if self.broken:
            raise OSError("away")
        self.touched.append(list(cids))
        super().touch(owner, cids)


def test_what_is_asked_for_lives_on_and_is_prolonged_once_in_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        clock = Clock()
        store = Counting(clock)
        one = site(store=store, clock=clock)
        lives = LiveLives(one.live, clock=clock)
        found = wrappers(one.page("Counter", session_id="visitor", cid="c"))[0]["token"]

        async def ask(*, call: bool = False) -> Shown:
            """What one request does."""
            client = FakeClient(one.live, "visitor")
            [shown] = await client.join([found])
            if call:
                await client.call(shown, "increment")
            await lives.prolong(client.conversation)
            await client.conversation.close()
            return shown

        await ask(call=True)
        for _ in range(5):
            clock.now += 3000
            for _ in range(30):
                await ask()
                clock.now += 9
        assert (await ask()).html == "<b>1</b>"
        assert store.touched == [["c"]] * 6
        # What could not be done is done by the next request.
        clock.now += 3000
        store.broken = True
        await ask()
        assert "could not be prolonged" in caplog.text
        store.broken = False
        await ask()
        clock.now += 3000
        assert (await ask()).html == "<b>1</b>"
        # It is bounded what is remembered.
        monkeypatch.setattr(live_lives, "_REMEMBERED", 0)
        clock.now += 3000
        await ask()
        assert len(lives) == 0

    asyncio.run(main())


def test_a_request_that_only_joins_prolongs(tmp_path: Path) -> None:
    root = write_site(tmp_path, SITE)

    def worker() -> TestClient:
        headers = {"sec-fetch-site": "same-origin"}
        return TestClient(load_site(root), base_url="http://localhost", headers=headers)

    with worker() as browser:
        found = re.search(r'data-asok-state="([^"]+)"', browser.get("/").text)
        assert found is not None
        join = ["j", 1, html.unescape(found[1]), "tab", None]
        browser.post("/asok/live", json=[join, ["c", 1, 1, "add", [], None]])
        cookies = browser.cookies
    [states] = root.rglob("live.sqlite3")
    with closing(sqlite3.connect(states)) as database, database:
        database.execute("UPDATE live SET expires = ?", (time.time() + 600,))
    with worker() as browser:
        browser.cookies = cookies
        [frame] = browser.post("/asok/live", json=[join]).json()
        assert "<b>1</b>" in frame[3]
    with closing(sqlite3.connect(states)) as database:
        [(expires,)] = database.execute("SELECT expires FROM live").fetchall()
    assert expires > time.time() + 1800, "it lives for its whole hour again"
