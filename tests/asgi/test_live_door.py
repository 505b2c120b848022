"""The door of live sockets, without a server: what goes wrong around a conversation."""

from __future__ import annotations

import asyncio
import html
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.site import load_site, write_site

from asok.asgi import live_door
from asok.asgi.live_door import LiveDoor

SITE = {"src/pages/page.html": "hello"}


def test_a_store_that_fails_once_does_not_end_the_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = load_site(write_site(tmp_path, SITE))
    monkeypatch.setattr(live_door, "TOUCH_EVERY", 0.0)

    async def scene() -> int:
        calls = 0
        twice = asyncio.Event()

        async def run_sync(function: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                twice.set()
            raise OSError("the store is away")

        app.live.run_sync = run_sync
        door = LiveDoor(app.live, app.parts, begin=lambda: None)
        conversation: Any = type("Conversation", (), {"touch": None})()
        door._open[conversation] = conversation
        task = asyncio.create_task(door._keep_alive())
        async with asyncio.timeout(10):
            await twice.wait()
        task.cancel()
        return calls

    assert asyncio.run(scene()) >= 2
    assert "the store is away" in caplog.text


def test_a_trusted_origin_may_open_a_socket_and_a_foreign_one_not(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), ws_allowed_origins=("https://a.example",))
    with TestClient(app, base_url="http://localhost") as client:
        for origin in ("https://a.example", "https://A.example", "http://localhost"):
            with client.websocket_connect(
                "ws://localhost/asok/live", headers={"origin": origin}
            ) as live:
                live.send_bytes(b"[]")
                assert "malformed" in live.receive_text()
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(
                "ws://localhost/asok/live", headers={"origin": "http://localhost.evil"}
            ),
        ):
            pass
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("ws://a b/asok/live", headers={"host": "a b"}),
        ):
            pass


def test_the_runtime_is_served_under_its_hashed_name_only(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE))
    with TestClient(app, base_url="http://localhost") as client:
        script = client.get(app.runtime.url_path)
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        again = client.get(app.runtime.url_path, headers={"if-none-match": script.headers["etag"]})
        assert again.status_code == 304
        assert client.get("/asok/alive-older.js").status_code == 404


def test_going_away_says_goodbye_to_every_open_socket(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE))

    class Socket:
        closed = 0

        def __init__(self, error: Exception | None = None) -> None:
            self.error = error

        async def close(self, code: int, reason: str) -> None:
            if self.error is not None:
                raise self.error
            self.closed = code

    door = LiveDoor(app.live, app.parts, begin=lambda: None)
    gone: Any = Socket(RuntimeError("closed already"))
    lost: Any = Socket(WebSocketDisconnect(1006))
    there: Any = Socket()

    async def scene() -> list[bool]:
        conversations = [app.live.conversation("v", emit=nobody, hang_up=nobody) for _ in range(3)]
        door._open = dict(zip((gone, lost, there), conversations, strict=True))
        await door.close()
        return [one.closed for one in conversations]

    async def nobody(*_: object) -> None: ...

    assert asyncio.run(scene()) == [True] * 3
    assert there.closed == 1001


def test_the_runtime_of_another_version_is_this_one_for_now() -> None:
    from asok.asgi.runtime_file import RuntimeFile

    runtime = RuntimeFile()
    now = runtime.plan("GET", runtime.url_path, "", [])
    other = runtime.plan("GET", "/asok/alive-0123456789ab.js", "", [])
    assert now is not None
    assert other is not None
    assert now.body == other.body
    assert dict(now.headers)[b"cache-control"].endswith(b"immutable")
    assert dict(other.headers)[b"cache-control"] == b"no-cache"
    assert runtime.plan("GET", "/asok/alive-x.js", "", []) is None


def test_the_guards_of_a_page_are_those_of_its_components_too(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, GUARDED), session_backend="memory")
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/login/admin")
        free = html.unescape(client.get("/").text.split('state="')[1].split('"')[0])
        token = html.unescape(client.get("/admin").text.split('state="')[1].split('"')[0])
        with client.websocket_connect(
            "ws://localhost/asok/live", headers={"origin": "http://localhost"}
        ) as live:
            live.send_json(["j", 1, token, "tab"])
            assert live.receive_json() == ["o", 1, 0, 0]
            live.send_json(["c", 1, 1, "click"])
            assert live.receive_json() == ["h", 1, 1, "1", 1]
            client.get("/login/guest")
            live.send_json(["c", 1, 2, "click"])
            assert live.receive_json() == ["r", "guard"]
            live.send_json(["j", 2, free, "tab"])
            assert live.receive_json() == ["o", 2, 0, 0]
            live.send_json(["c", 2, 3, "click"])
            assert live.receive_json() == ["h", 2, 1, "1", 3]


GUARDED = {
    "src/pages/login/[role]/page.py": """
        def get(request):
            request.session["role"] = request.params["role"]
            return "done"
        """,
    "src/pages/admin/page.py": """
        def admin(request):
            if request.session.get("role") != "admin":
                return request.redirect("/")

        def timing(request, call_next):
            return call_next(request)

        GUARDS = (admin,)
        MIDDLEWARE = (timing,)

        def get(request):
            return request.html("page.html")
        """,
    "src/pages/admin/page.html": "{{ component('Admin') }}",
    "src/pages/page.html": "{{ component('Admin') }}",
    "src/components/Admin.py": """
        from asok import Component, exposed

        class Admin(Component):
            clicks: int = 0

            @exposed
            def click(self):
                self.clicks += 1

            def render(self):
                return str(self.clicks)
        """,
}
