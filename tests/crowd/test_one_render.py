"""Two hundred visitors at once, over HTTP and four workers, cost one render."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.services import wait_until

from .site import Server, served

pytestmark = pytest.mark.soak

VISITORS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("load")) as running:
        yield running


def ask_at_once(url: str, count: int = VISITORS) -> list[httpx.Response | httpx.TransportError]:
    """Ask `count` times at once, each over a connection of its own."""

    async def one(client: httpx.AsyncClient) -> httpx.Response | httpx.TransportError:
        try:
            return await client.get(url)
        except httpx.TransportError as error:
            return error

    async def run() -> list[httpx.Response | httpx.TransportError]:
        limits = httpx.Limits(max_connections=count, max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            return await asyncio.gather(*(one(client) for _ in range(count)))

    return asyncio.run(run())


def good(answers: list[httpx.Response | httpx.TransportError], slug: str) -> list[httpx.Response]:
    """Those that are answers; each is the page."""
    found = [answer for answer in answers if isinstance(answer, httpx.Response)]
    assert {(one.status_code, one.text) for one in found} == {(200, f"<p>{slug}</p>")}
    return found


def until_stale(server: Server, slug: str) -> None:
    """Make the page, and wait until it is due."""
    assert httpx.get(f"{server.url}/slow/{slug}", timeout=30).status_code == 200
    time.sleep(4.6)  # REVALIDATE and the tenth that a page may live longer


def test_two_hundred_misses(server: Server) -> None:
    answers = ask_at_once(f"{server.url}/slow/missing")
    assert len(good(answers, "missing")) == VISITORS
    assert len(server.renders("missing")) == 1


def test_two_hundred_stale_hits(server: Server) -> None:
    until_stale(server, "stale")
    answers = good(ask_at_once(f"{server.url}/slow/stale"), "stale")
    assert len(answers) == VISITORS
    assert {one.headers["x-asok-ssg-cache"] for one in answers} <= {"STALE", "HIT"}
    wait_until(lambda: len(server.renders("stale")) == 2, what="the regeneration")
    time.sleep(2)  # one that should not be would have begun by then
    assert len(server.renders("stale")) == 2


def test_a_killed_worker_passes_its_render_on_to_one_other(server: Server) -> None:
    answers: list[httpx.Response | httpx.TransportError] = []
    asking = threading.Thread(
        target=lambda: answers.extend(ask_at_once(f"{server.url}/slow/killed"))
    )
    asking.start()
    wait_until(lambda: bool(server.renders("killed")), what="the render")
    victim = server.renders("killed")[0]
    os.kill(victim, signal.SIGKILL)
    asking.join(60)
    # Those whose connection the killed worker had are cut off; a proxy would ask again.
    assert len(good(answers, "killed")) >= VISITORS // 4
    renders = server.renders("killed")
    assert len(renders) == 2
    assert renders[1] != victim
    after = httpx.get(f"{server.url}/slow/killed", timeout=30)
    assert after.headers["x-asok-ssg-cache"] in ("HIT", "STALE")


def test_a_killed_regeneration_is_made_by_one_other(server: Server) -> None:
    until_stale(server, "renewed")
    good(ask_at_once(f"{server.url}/slow/renewed", 8), "renewed")
    wait_until(lambda: len(server.renders("renewed")) == 2, what="the regeneration")
    victim = server.renders("renewed")[1]
    os.kill(victim, signal.SIGKILL)

    def renewed() -> bool:
        good(ask_at_once(f"{server.url}/slow/renewed", 20), "renewed")
        return len(server.renders("renewed")) >= 3

    wait_until(renewed, what="another regeneration")
    good(ask_at_once(f"{server.url}/slow/renewed", 50), "renewed")
    renders = server.renders("renewed")
    assert len(renders) == 3
    assert renders[2] != victim


def test_the_workers_are_whole_again(server: Server) -> None:
    wait_until(lambda: len(server.workers()) == 4, what="the restart of killed workers")
    answers = ask_at_once(f"{server.url}/", 100)
    assert {one.status_code for one in answers if isinstance(one, httpx.Response)} == {200}
    assert "Traceback" not in Path(server.root / "server.log").read_text()
