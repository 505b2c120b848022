"""The server side of the panel: which page is told what."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.site import load_site, write_site

from asok import observing
from asok.cli.dev.browsers import Browsers
from asok.cli.dev.masking import Masker
from asok.cli.dev.panel.facts import Facts
from asok.cli.dev.panel.panel import Panel

SITE = {
    "src/pages/page.html": "home",
    "src/pages/posts/[slug]/page.py": "def get(request):\n    return 'post'\n",
    "src/pages/about/page.py": "SSG = True\ndef get(request):\n    return 'about'\n",
    "src/pages/news/page.py": (
        "SSG = True\nREVALIDATE = 60\ndef get(request):\n    return 'news'\n"
    ),
}


async def nobody() -> Any:
    await asyncio.Event().wait()


async def ignore(message: Any) -> None:
    pass


@pytest.fixture
def panel() -> Panel:
    return Panel(Browsers(1), Masker(), None)


def test_each_route_says_its_file_and_its_mode(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE))
    facts = Facts(app, app.root)
    assert facts.route("/posts/one") == {
        "pattern": "/posts/[slug]",
        "file": "src/pages/posts/[slug]/page.py",
        "mode": "dynamic: rendered for each request",
    }
    modes = [(facts.route(path) or {})["mode"] for path in ("/about", "/news")]
    assert modes == [
        "SSG: rendered once, by asok build",
        "ISR: rendered again after 60 s",
    ]
    assert facts.route("/nowhere") is None
    app.cache.get("nothing")
    assert facts.cache()["misses"] == 1


def test_a_page_is_told_of_its_request_and_then_of_its_live_calls(panel: Panel) -> None:
    visit = panel.begin("GET", "/posts")
    visit.request.queried("SELECT 1", "page.py:1", 0)
    assert panel.show(visit) == "/asok/dev/panel/tap.js?page=1"
    panel.end(visit, 200, 12.34, path="/posts", cache_status="asok; hit")
    name, told = panel.message(1) or ("", {})
    assert name == "page"
    assert (told["path"], told["status"], told["ms"], told["cacheStatus"]) == (
        "/posts", 200, 12.3, "asok; hit",
    )  # fmt: skip
    assert told["request"]["queries"] == 1
    assert told["totals"] is told["route"] is None
    assert panel.message(2) is None

    queries_seen: list[bytes] = []

    async def call(scope: Any, receive: Any, send: Any) -> None:
        observer = observing.current()
        assert observer is not None
        observer.queried("SELECT 2", None, 0)
        queries_seen.append(scope["query_string"])
        await send({"type": "websocket.send", "text": "[]"})

    for query, queries in [(b"page=1", 1), (b"page=7", 1), (b"page=x", 1), (b"page=1&a=b", 2)]:
        scope = {"type": "websocket", "path": "/site/asok/live", "query_string": query}
        with observing.observed(panel.begin("GET", "/other").live):
            asyncio.run(panel.live(call, scope, nobody, ignore))
        assert (panel.message(1) or [])[1]["live"]["queries"] == queries
    assert queries_seen == [b"", b"page=7", b"page=x", b""]
    other = {"type": "http", "path": "/posts", "query_string": b"page=1"}
    with observing.observed(visit.request):
        asyncio.run(panel.live(call, other, nobody, ignore))
    assert (panel.message(1) or [])[1]["request"]["queries"] == 2


def test_only_the_latest_pages_are_remembered(panel: Panel) -> None:
    for _ in range(51):
        panel.show(panel.begin("GET", "/"))
    assert panel.message(1) is None
    assert panel.message(2) is not None
    forgotten = panel.begin("GET", "/")
    forgotten.number = 1
    panel.end(forgotten, 200, 1, path="/", cache_status="")


def test_only_the_browser_that_shows_a_page_is_told() -> None:
    async def converse() -> dict[int, list[Any]]:
        browsers = Browsers(1)
        panel = Panel(browsers, Masker(), None)
        told: dict[int, list[Any]] = {1: [], 2: []}
        heard: dict[int, asyncio.Queue[Any]] = {1: asyncio.Queue(), 2: asyncio.Queue()}
        talking: list[asyncio.Task[None]] = []
        visits = [panel.begin("GET", f"/{number}") for number in (1, 2)]
        for visit in visits:
            panel.show(visit)
            at = visit.number

            async def send(message: Any, at: int = at) -> None:
                if "text" in message:
                    told[at].append(json.loads(message["text"]))

            heard[at].put_nowait({"type": "websocket.connect"})
            heard[at].put_nowait({"type": "websocket.receive", "text": f'["page", {at}]'})
            talking.append(
                asyncio.create_task(browsers({"type": "websocket"}, heard[at].get, send))
            )
        while min(map(len, told.values())) < 2:
            await asyncio.sleep(0)
        panel.end(visits[1], 200, 1, path="/2", cache_status="")
        while len(told[2]) < 3:
            await asyncio.sleep(0)
        for queue in heard.values():
            queue.put_nowait({"type": "websocket.disconnect"})
        await asyncio.gather(*talking)
        return told

    told = asyncio.run(converse())
    assert [[one[0] for one in messages] for messages in told.values()] == [
        ["version", "page"],
        ["version", "page", "page"],
    ]
    assert told[2][2][1]["status"] == 200
