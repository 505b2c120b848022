"""Logging in and out with components on the page: what goes along, and what is worth nothing."""

from __future__ import annotations

import html
import logging
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok

SITE = {
    "src/pages/page.html": "{{ component('Counter', cid='c') }}",
    "src/pages/login/page.py": """
        def get(request):
            request.session.login(user="ada")
            return "in"
        """,
    "src/pages/logout/page.py": """
        def get(request):
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

            @exposed
            def enter(self):
                self.session.login(user="eve")

            def render(self):
                return f"<b>{self.count}</b>"
        """,
}
TABS = count()
LIVE = "ws://localhost/asok/live"


@pytest.fixture(params=["memory", "sqlite", "redis"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Asok:
    known: dict[str, Any] = {"session_backend": request.param}
    if request.param == "redis":
        known["redis_url"] = request.getfixturevalue("redis_url")
    return load_site(write_site(tmp_path, SITE), **known)


@contextmanager
def joined(client: TestClient, page: str) -> Generator[Any]:
    token = html.unescape(page.split('state="')[1].split('"')[0])
    with client.websocket_connect(LIVE, headers={"origin": "http://localhost"}) as live:
        live.send_json(["j", 1, token, f"tab{next(TABS)}"])
        yield live


def click(live: Any) -> list[Any]:
    live.send_json(["c", 1, 1, "add"])
    return live.receive_json()


def test_a_login_keeps_the_state_and_leaves_nothing_to_who_knew_the_old_id(app: Asok) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/login")
        page = client.get("/").text
        with joined(client, page) as live:
            assert live.receive_json() == ["o", 1, 0, 0]
            assert click(live) == ["h", 1, 1, "<b>1</b>", 1]
            planted = dict(client.cookies)
            client.get("/login")
            assert live.receive_json() == ["r", "session"]
            assert live.receive()["code"] == 1008
        assert dict(client.cookies) != planted
        now = client.get("/").text
        assert "<b>1</b>" in now
        with joined(client, page) as live:
            assert live.receive_json() == ["r", "session"], "signed for the old session"
        with joined(client, now) as live:
            assert live.receive_json() == ["o", 1, 1, 0]
            assert click(live)[:2] == ["h", 1]

        # Who planted the id has the cookie and the page of before the login.
        thief = TestClient(app, base_url="http://localhost", cookies=planted)
        assert "<b>0</b>" in thief.get("/").text
        for known in (page, thief.get("/").text):
            with joined(thief, known) as live:
                assert live.receive_json() == ["r", "session"], "nothing lives of what has ended"
        assert "<b>2</b>" in client.get("/").text


def test_a_logout_begins_anew(app: Asok) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/login")
        with joined(client, client.get("/").text) as live:
            live.receive_json()
            click(live)
            client.get("/logout")
            assert live.receive_json() == ["r", "session"]
        assert "<b>0</b>" in client.get("/").text


def test_a_socket_can_not_log_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = load_site(write_site(tmp_path, SITE), session_backend="memory")
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/login")
        with joined(client, client.get("/").text) as live:
            live.receive_json()
            live.send_json(["c", 1, 1, "enter"])
            assert live.receive_json()[:4] == ["e", 1, 1, "failed"]
        assert "can't set the new cookie" in caplog.text
        assert "<b>0</b>" in client.get("/").text
    assert any(record.levelno == logging.ERROR for record in caplog.records)
