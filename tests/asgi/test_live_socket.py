"""The live socket over a real server: handshake, calls, limits, logout, the end of the server."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.site import serve, write_site
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

SITE = {
    "src/pages/page.html": "{{ component('Counter', count=10) }}",
    "src/pages/login/page.py": """
        def get(request):
            return {"token": request.csrf_token, "user": request.session.get("user")}
        def post(request):
            request.session.login(user="ada")
            return "in"
        def delete(request):
            request.session.logout()
            return "out"
        """,
    "src/components/Counter.py": """
        from asok import Component, exposed

        class Counter(Component):
            count: int = 0

            @exposed
            def add(self):
                self.count += 1

            def render(self):
                return self.html("counter.html")
        """,
    "src/components/counter.html": '<button ws-click="add">{{ count }}</button>',
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with serve(write_site(tmp_path_factory.mktemp("live"), SITE)) as url:
        yield url


def socket(url: str, **headers: str) -> ClientConnection:
    """Open the live socket as a browser on the site does."""
    address = url.replace("http", "ws", 1) + "/asok/live"
    origin: Any = headers.pop("origin", url)
    return connect(address, origin=origin or None, additional_headers=headers, proxy=None)


def state(page: str) -> str:
    found = re.search(r'data-asok-state="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def ask(live: ClientConnection, *frame: object) -> list[Any]:
    live.send(json.dumps(frame))
    return json.loads(live.recv(10))


def cookie(client: httpx.Client) -> str:
    return f"asok={client.cookies['asok']}"


def send(client: httpx.Client, method: str) -> httpx.Response:
    token = client.get("/login").json()["token"]
    answer = client.request(method, "/login", headers={"x-csrf-token": token})
    assert answer.status_code == 200
    return answer


def closing(live: ClientConnection) -> tuple[int, list[Any]]:
    """Wait for the end; return its code and the frames that came before."""
    frames = [json.loads(frame) for frame in _until_closed(live)]
    assert live.close_code is not None
    return live.close_code, frames


def _until_closed(live: ClientConnection) -> Iterator[Any]:
    with suppress(ConnectionClosed):
        while True:
            yield live.recv(15)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:1"])
def test_a_foreign_or_missing_origin_is_refused(url: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        socket(url, origin=origin)
    assert caught.value.response.status_code == 403
    assert "set-cookie" not in caught.value.response.headers


def test_another_host_or_path_has_no_socket(url: str) -> None:
    for address in (url.replace("http", "ws", 1) + "/", url.replace("http", "ws", 1) + "/nope"):
        with pytest.raises(InvalidStatus) as caught:
            connect(address, proxy=None)
        assert caught.value.response.status_code == 403
    answer = httpx.get(f"{url}/asok/live")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


def test_a_visitor_without_a_cookie_gets_one_with_the_handshake(url: str) -> None:
    with socket(url) as live:
        assert live.response is not None
        given = live.response.headers["set-cookie"]
        assert re.match(r"asok=[\w-]{65}; Path=/; .*HttpOnly; SameSite=Lax", given)
    with socket(url, cookie=given.partition(";")[0]) as live:
        assert live.response is not None
        assert "set-cookie" not in live.response.headers
    with socket(url, cookie="asok=" + "A" * 65) as live:
        assert live.response is not None
        assert "set-cookie" in live.response.headers


def test_a_component_is_joined_and_called(url: str) -> None:
    page = httpx.get(url).text
    with socket(url) as live:
        assert ask(live, "j", 1, state(page), "tab") == ["o", 1, 0, 0]
        first = ask(live, "c", 1, 1, "add", [], None)
        assert (first[0], first[1], first[4]) == ("h", 1, 1)
        assert ">11<" in first[3]
        second = ask(live, "c", 1, 2, "add", [], None)
        assert second[:2] == ["s", 1]
        assert second[5] == 2
        assert ask(live, "c", 1, 3, "__init__", [], None)[:2] == ["e", 1]


def test_a_frame_over_the_limit_closes_the_socket(url: str) -> None:
    with socket(url) as live:
        live.send("x" * (64 * 1024 + 1))
        assert closing(live)[0] == 1009


def test_logout_closes_the_sockets_of_the_session(url: str) -> None:
    with httpx.Client(base_url=url) as client, ExitStack() as stack:
        send(client, "POST")
        page = client.get("/").text
        mine = stack.enter_context(socket(url, cookie=cookie(client)))
        ask(mine, "j", 1, state(page), "tab")
        other = stack.enter_context(socket(url))
        send(client, "DELETE")
        code, frames = closing(mine)
        assert (code, frames[-1]) == (1008, ["r", "session"])
        page = httpx.get(url).text
        assert ask(other, "j", 1, state(page), "tab")[0] == "o"


def test_logout_closes_sockets_of_other_workers(tmp_path: Path) -> None:
    with serve(write_site(tmp_path, SITE), "--workers", "2") as url, ExitStack() as stack:
        with httpx.Client(base_url=url) as client:
            send(client, "POST")
            sockets = [stack.enter_context(socket(url, cookie=cookie(client))) for _ in range(8)]
            send(client, "DELETE")
        assert [closing(live)[0] for live in sockets] == [1008] * 8


def test_logout_reaches_workers_whose_application_is_mounted(tmp_path: Path) -> None:
    # Starlette's Mount passes no lifespan on to what it mounts.
    mounted = """
        from asok import Asok
        from starlette.applications import Starlette
        from starlette.routing import Mount

        app = Starlette(routes=[Mount("/", app=Asok())])
        """
    root = write_site(tmp_path, {**SITE, "wsgi.py": mounted})
    with serve(root, "--workers", "2") as url, ExitStack() as stack:
        with httpx.Client(base_url=url) as client:
            send(client, "POST")
            sockets = [stack.enter_context(socket(url, cookie=cookie(client))) for _ in range(8)]
            send(client, "DELETE")
        assert [closing(live)[0] for live in sockets] == [1008] * 8


def test_the_end_of_the_server_asks_browsers_to_come_back(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with serve(write_site(tmp_path, SITE)) as url:
            page = httpx.get(url).text
            sockets = [stack.enter_context(socket(url)) for _ in range(3)]
            for live in sockets:
                ask(live, "j", 1, state(page), "tab")
            began = time.monotonic()
        # `serve` kills a server after 15 seconds, and such a one says no goodbye.
        assert time.monotonic() - began < 12
        assert {closing(live)[0] for live in sockets} <= {1001, 1012}
