"""Four real workers: any of them answers, nothing is lost, and a logout reaches them all."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.site import serve, write_site
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

SITE = {
    "src/pages/page.html": "{{ component('Counter', cid='c') }}",
    "src/pages/session/page.py": """
        import os

        def get(request):
            return {"token": request.csrf_token, "worker": os.getpid()}
        def post(request):
            request.session.login(user="ada")
            return "in"
        def delete(request):
            request.session.logout()
            return "out"
        """,
    "src/components/Counter.py": """
        import os
        from asok import Component, exposed

        class Counter(Component):
            count: int = 0

            @exposed
            def add(self):
                self.count += 1
                with open("calls", "a") as file:
                    file.write(f"{os.getpid()}\\n")

            def render(self):
                return f"<b>{self.count}</b>"
        """,
}
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture(params=["sqlite", "redis"])
def variables(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = {
        "SESSION_BACKEND": request.param,
        "ASOK_LIVE_MESSAGES_PER_SECOND": "1000000",
    }
    if request.param == "redis":
        found["REDIS_URL"] = request.getfixturevalue("redis_url")
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_site(tmp_path, SITE)


@pytest.fixture
def url(root: Path, variables: dict[str, Any]) -> Generator[str]:
    with serve(root, "--workers", "4", **variables) as url:
        yield url


def state(page: str) -> str:
    found = re.search(r'data-asok-state="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def logged_in(url: str) -> httpx.Client:
    # No kept connections: each request finds the worker that is free.
    client = httpx.Client(base_url=url, limits=httpx.Limits(max_keepalive_connections=0))
    token = client.get("/session").json()["token"]
    assert client.post("/session", headers={"x-csrf-token": token}).text == "in"
    return client


def logout(client: httpx.Client) -> None:
    token = client.get("/session").json()["token"]
    assert client.delete("/session", headers={"x-csrf-token": token}).text == "out"


@contextmanager
def opened(url: str, client: httpx.Client, token: str, tab: str) -> Generator[ClientConnection]:
    origin: Any = url
    headers = {"cookie": f"asok={client.cookies['asok']}"}
    address = url.replace("http", "ws", 1) + "/asok/live"
    with connect(address, origin=origin, additional_headers=headers, proxy=None) as live:
        live.send(json.dumps(["j", 1, token, tab, -1]))
        live.recv(20)
        yield live


def click(live: ClientConnection, seq: int) -> list[Any]:
    live.send(json.dumps(["c", 1, seq, "add"]))
    return json.loads(live.recv(20))


def ended(live: ClientConnection) -> tuple[int | None, float]:
    """Wait for the end of a socket; return its code and when it came."""
    with suppress(ConnectionClosed):
        while True:
            live.recv(20)
    return live.close_code, time.monotonic()


def spread(
    stack: ExitStack, url: str, client: httpx.Client, token: str, root: Path
) -> list[ClientConnection]:
    """Open sockets, each with one call, until three workers have some."""
    sockets: list[ClientConnection] = []

    def one(number: int) -> ClientConnection:
        return stack.enter_context(opened(url, client, token, f"tab{number}"))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            group = list(pool.map(one, range(8)))
            sockets += group
            for live in group:
                assert click(live, len(sockets))[0] in "hsoe"
            if len(set((root / "calls").read_text().split())) > 2:
                return sockets
    raise AssertionError("one worker took everything")


def test_after_a_logout_no_call_on_any_worker_changes_anything(url: str, root: Path) -> None:
    with closing(logged_in(url)) as client, ExitStack() as stack:
        token = state(client.get("/").text)
        sockets = spread(stack, url, client, token, root)
        calls = (root / "calls").read_text().split()
        old = {"cookie": f"asok={client.cookies['asok']}", **OWN}
        logout(client)
        for live in sockets:  # the notice is still on its way to some
            with suppress(ConnectionClosed):
                live.send(json.dumps(["c", 1, 1000, "add"]))
        answer = httpx.post(
            f"{url}/asok/live",
            json=[["j", 1, token, "t", -1], ["c", 1, 1, "add"]],
            headers=old,
        )
        assert answer.json()[-1] == ["r", "session"]
        assert {ended(live)[0] for live in sockets} == {1008}
        assert (root / "calls").read_text().split() == calls
        assert "<b>0</b>" in client.get("/").text


@pytest.mark.soak
def test_a_logout_closes_the_sockets_of_all_workers_within_a_second(url: str, root: Path) -> None:
    needed: list[float] = []
    for _ in range(3):
        with closing(logged_in(url)) as client, ExitStack() as stack:
            token = state(client.get("/").text)
            sockets = spread(stack, url, client, token, root)
            with ThreadPoolExecutor(len(sockets)) as pool:
                ends = [pool.submit(ended, live) for live in sockets]
                logout(client)
                began = time.monotonic()
                closed = [end.result() for end in ends]
            assert {code for code, _ in closed} == {1008}
            needed.append(max(moment for _, moment in closed) - began)
    print(f"seconds from a logout to the last closed socket: {needed}")
    assert min(needed) < 1


@pytest.mark.soak
def test_ten_thousand_events_of_two_tabs_lose_nothing(url: str, root: Path) -> None:
    each = 5_000
    with closing(logged_in(url)) as client:
        token = state(client.get("/").text)

        def by_socket() -> None:
            for first in range(1, each + 1, 50):
                with opened(url, client, token, "socket") as live:
                    for seq in range(first, first + 50):
                        assert click(live, seq)[-1] == seq

        def by_post() -> None:
            cookie = {"cookie": f"asok={client.cookies['asok']}", **OWN}
            with httpx.Client(
                base_url=url, headers=cookie, limits=httpx.Limits(max_keepalive_connections=0)
            ) as other:
                for first in range(1, each + 1, 20):
                    calls = [["c", 1, seq, "add"] for seq in range(first, first + 20)]
                    answer = other.post("/asok/live", json=[["j", 1, token, "post", -1], *calls])
                    assert answer.json()[-1][-1] == first + 19

        with ThreadPoolExecutor(2) as pool:
            for one in (pool.submit(by_socket), pool.submit(by_post)):
                one.result()
        assert f"<b>{2 * each}</b>" in client.get("/").text
    calls = (root / "calls").read_text().split()
    assert len(calls) == 2 * each
    assert len(set(calls)) == 4
