"""Threads for calls: bounded, shared fairly with what hangs, one database session each."""

from __future__ import annotations

import asyncio
import html
import importlib
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import models
from asok.composition.threads import Threads
from asok.models.request_scope import current_scope


def test_what_hangs_leaves_room_for_others_and_is_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = threading.Event()
    begun: list[int] = []

    def hang() -> None:
        begun.append(1)
        held.wait(20)

    async def until(number: int) -> None:
        while len(begun) < number:
            await asyncio.sleep(0.005)

    async def scenario() -> None:
        threads = Threads(40, slow=41, patience=0.02)
        hanging = [asyncio.ensure_future(threads(hang)) for _ in range(40)]
        await until(40)
        # Nobody would get a thread now, were they counted.
        assert await asyncio.gather(*(threads(lambda: 7) for _ in range(100))) == [7] * 100
        assert threads.busy == 40

        hanging += [asyncio.ensure_future(threads(hang)) for _ in range(42)]
        await until(81)
        late = asyncio.ensure_future(threads(lambda: 8))
        await asyncio.sleep(0.1)
        assert len(begun) == 81, "40, and 41 beside them"
        assert not late.done()
        held.set()
        assert await late == 8
        await asyncio.gather(*hanging)
        assert await threads(lambda: 9) == 9
        assert threads.busy == 0

    asyncio.run(scenario())
    assert caplog.text.count("others wait for them") == 1


def test_those_who_wait_are_looked_after_by_one_timer_and_the_limit_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = threading.Event()
    timers: list[float] = []

    async def scenario() -> None:
        threads = Threads(2, slow=1, patience=0.02)
        loop = asyncio.get_running_loop()
        later = loop.call_later

        def counted(delay: float, *rest: Any) -> asyncio.TimerHandle:
            timers.append(delay)
            return later(delay, *rest)

        hanging = [asyncio.ensure_future(threads(lambda: held.wait(20))) for _ in range(3)]
        while threads.busy < 3:
            await asyncio.sleep(0.001)
        monkeypatch.setattr(loop, "call_later", counted)
        waiting = [asyncio.ensure_future(threads(lambda: 1)) for _ in range(500)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(timers) <= 1, "not one for each of them"
        monkeypatch.undo()
        held.set()
        await asyncio.gather(*hanging, *waiting)
        while threads.limit > 2:
            await asyncio.sleep(0.001)

    asyncio.run(scenario())


def test_who_holds_a_connection_does_not_queue() -> None:
    held = threading.Event()

    class Connection:
        connected = True

        def close(self) -> None: ...

    async def scenario() -> None:
        threads = Threads(1, slow=1, patience=60.0)
        first = asyncio.ensure_future(threads(lambda: held.wait(20)))
        while not threads.busy:
            await asyncio.sleep(0.001)
        with models.scope() as scope:
            scope.part("connection", Connection)
            assert await threads(current_scope) is scope
        held.set()
        await first

    asyncio.run(scenario())


def test_each_call_has_a_session_of_its_own_unless_it_is_in_one() -> None:
    async def scenario() -> None:
        threads = Threads()
        first, second = await threads(current_scope), await threads(current_scope)
        assert first is not None
        assert first is not second
        assert first.closed
        with models.scope() as scope:
            assert await threads(current_scope) is scope
        assert scope.closed

    asyncio.run(scenario())


HANGING = {
    "src/pages/page.html": "{% for n in range(40) %}{{ component('Hangs', key=n) }}{% endfor %}",
    "src/pages/quick/page.html": "{{ component('Quick') }}",
    "src/components/parts.py": """
        import threading
        from asok import Component, exposed

        HELD = threading.Event()
        BEGUN = []

        class Hangs(Component):
            n: int = 0

            @exposed
            def wait(self):
                BEGUN.append(1)
                HELD.wait(60)

            def render(self):
                return str(self.n)

        class Quick(Component):
            n: int = 0

            @exposed
            def add(self):
                self.n += 1

            def render(self):
                return str(self.n)
        """,
}


def test_forty_methods_that_hang_stop_neither_components_nor_pages(tmp_path: Path) -> None:
    limits = (("messages_per_second", 1e6),)
    root = write_site(tmp_path, HANGING)
    app = load_site(root, session_backend="memory", live_limits=limits)
    parts = importlib.import_module("src.components.parts")
    origin = {"origin": "http://localhost"}
    with (
        TestClient(app, base_url="http://localhost") as client,
        client.websocket_connect("ws://localhost/asok/live", headers=origin) as live,
    ):
        try:
            tokens = states(client.get("/").text)
            assert len(tokens) == 40
            for n, token in enumerate(tokens, 1):
                live.send_json(["j", n, token, "tab"])
                assert live.receive_json()[:2] == ["o", n]
            for n in range(1, 41):
                live.send_json(["c", n, n, "wait"])
            while len(parts.BEGUN) < 40:
                time.sleep(0.01)
            [quick] = states(client.get("/quick").text)
            live.send_json(["j", 50, quick, "tab"])
            assert live.receive_json()[:2] == ["o", 50]
            live.send_json(["c", 50, 50, "add"])
            assert live.receive_json() == ["h", 50, 1, "1", 50]
        finally:
            parts.HELD.set()


def states(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'data-asok-state="([^"]+)"', page)]
