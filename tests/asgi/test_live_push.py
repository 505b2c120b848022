"""A broadcast of a page, heard by a component over the application's own socket."""

from __future__ import annotations

import html
import importlib
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from tests.site import load_site, write_site

SITE = {
    "src/pages/page.html": "{{ component('Board') }}",
    "src/pages/tell/page.py": """
        from asok import broadcast

        def get(request):
            broadcast("order", price=3)
            return "told"
        """,
    "src/components/Board.py": """
        from asok import Component, listens

        class Board(Component):
            sum: int = 0

            @listens("order")
            def ordered(self, price: int):
                self.sum += price

            def render(self):
                return str(self.sum)
        """,
}


def test_a_page_tells_the_components_of_another_visitor(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), session_backend="memory")
    with TestClient(app, base_url="http://localhost") as client:
        token = html.unescape(client.get("/").text.split('state="')[1].split('"')[0])
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            assert live.receive_json() == ["h", 1, 0, "0", 0]
            assert client.get("/tell").text == "told"
            assert live.receive_json() == ["h", 1, 1, "3", 0]
        assert len(app.live.broadcasts) == 0


WRITES = {
    "src/pages/page.html": "{{ component('Slow') }}",
    "src/pages/write/page.py": """
        def get(request):
            request.session["http"] = request.session.get("http", 0) + 1
            return "written"
        """,
    "src/pages/read/page.py": """
        def get(request):
            return dict(request.session)
        """,
    "src/components/Slow.py": """
        import threading
        from asok import Component, exposed

        BEGUN = threading.Event()
        WRITTEN = threading.Event()

        class Slow(Component):
            n: int = 0

            @exposed
            def write(self):
                self.session["socket"] = 2
                self.session.modified = True
                BEGUN.set()
                assert WRITTEN.wait(20)

            def render(self):
                return "slow"
        """,
}


def test_a_page_and_a_socket_that_write_one_session_at_once_both_write(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, WRITES), session_backend="memory")
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/write")
        token = html.unescape(client.get("/").text.split('state="')[1].split('"')[0])
        slow = importlib.import_module("src.components.Slow")
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            live.receive_json()
            live.send_json(["c", 1, 1, "write"])
            assert slow.BEGUN.wait(20)
            client.get("/write")
            slow.WRITTEN.set()
            assert live.receive_json()[0] in "oh"
        assert client.get("/read").json() == {"http": 2, "socket": 2}


def test_redis_carries_a_broadcast_to_another_host(tmp_path: Path, redis_url: str) -> None:
    hosts: list[Any] = []
    for name in ("a", "b"):
        folder = write_site(tmp_path / name, SITE)
        hosts.append(load_site(folder, session_backend="redis", redis_url=redis_url))
    near, far = hosts
    with (
        TestClient(near, base_url="http://localhost"),
        TestClient(far, base_url="http://localhost") as client,
    ):
        assert near.notices.listening.wait(20)
        assert far.notices.listening.wait(20)
        token = html.unescape(client.get("/").text.split('state="')[1].split('"')[0])
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            live.receive_json()
            near.live.broadcasts.publish("order", {"price": 4})
            assert live.receive_json() == ["h", 1, 1, "4", 0]
