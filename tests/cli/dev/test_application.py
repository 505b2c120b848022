"""The wrapper around a site, asked with messages: no process and no socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.responses import HTMLResponse, Response, StreamingResponse

from asok.app import Asok
from asok.cli.dev.application import DevelopmentApplication, trusted
from asok.cli.dev.browsers import Browsers
from asok.cli.dev.frames import FrameReader
from asok.cli.dev.masking import Masker
from asok.cli.dev.panel.panel import Panel

Sent = list[dict[str, Any]]


class Recorder:
    """Collects what is reported for the terminal."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int, str]] = []

    def __call__(self, method: str, path: str, status: int, took: float, error: str) -> None:
        self.lines.append((method, path, status, error))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


Wrap = Callable[..., DevelopmentApplication]


@pytest.fixture
def wrap(tmp_path: Path, recorder: Recorder) -> Wrap:
    def make(app: Any, failure: BaseException | None = None) -> DevelopmentApplication:
        browsers = Browsers(3)
        return DevelopmentApplication(
            cast("Asok", app),
            failure,
            root=tmp_path,
            reader=FrameReader(tmp_path, Masker()),
            browsers=browsers,
            panel=Panel(browsers, Masker(), None),
            report=recorder,
        )

    return make


def scope(path: str = "/", **changes: Any) -> dict[str, Any]:
    headers = {"host": "localhost:8000", "accept": "text/html", **changes.pop("headers", {})}
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        **changes,
    }


def ask(app: Any, asked: dict[str, Any]) -> Sent:
    sent: Sent = []
    asked_for: list[str] = []

    async def receive() -> dict[str, Any]:
        asked_for.append("body")
        if len(asked_for) > 1:
            await asyncio.Event().wait()  # the browser stays
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(asked, receive, send))
    return sent


def body(sent: Sent) -> bytes:
    return b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")


def header(sent: Sent, name: str) -> str | None:
    return dict(sent[0]["headers"]).get(name.encode(), b"").decode() or None


TAG = (
    b'\n<script src="/asok/dev/panel/tap.js?page=1"></script>'
    b'\n<script src="/asok/dev.js?v=3.0" defer></script>\n'
)


def test_script_is_appended_and_the_length_follows(wrap: Wrap, recorder: Recorder) -> None:
    sent = ask(wrap(HTMLResponse("<p>ü</p>")), scope("/x"))
    assert body(sent) == "<p>ü</p>".encode() + TAG
    assert header(sent, "content-length") == str(len(body(sent)))
    assert recorder.lines == [("GET", "/x", 200, "")]


def test_script_has_the_nonce_of_the_page_policy(wrap: Wrap) -> None:
    policy = "script-src 'strict-dynamic' 'nonce-Ab_-9'"
    sent = ask(wrap(HTMLResponse("x", headers={"content-security-policy": policy})), scope())
    assert body(sent).count(b' nonce="Ab_-9"></script>') == 2


def test_panel_is_for_the_developer_alone(wrap: Wrap) -> None:
    sent = ask(wrap(HTMLResponse("x")), scope(headers={"host": "evil.example"}))
    assert b"/asok/dev.js" in body(sent)
    assert b"panel" not in body(sent)


def test_script_is_appended_to_the_last_part_of_a_stream(wrap: Wrap) -> None:
    sent = ask(wrap(StreamingResponse(iter(["<p>", "a"]), media_type="text/html")), scope())
    assert body(sent) == b"<p>a" + TAG
    assert header(sent, "content-length") is None


def test_validators_and_times_to_keep_are_taken_from_pages(wrap: Wrap) -> None:
    page = HTMLResponse(
        "x", headers={"etag": '"1"', "last-modified": "x", "cache-control": "max-age=60"}
    )
    sent = ask(wrap(page), scope())
    assert header(sent, "etag") is None
    assert header(sent, "last-modified") is None
    assert header(sent, "cache-control") == "no-cache"
    kept = ask(wrap(HTMLResponse("x", headers={"cache-control": "no-store"})), scope())
    assert header(kept, "cache-control") == "no-store"


@pytest.mark.parametrize(
    "answer",
    [
        Response("x", media_type="text/plain", headers={"etag": '"1"'}),
        Response(b"x", media_type="text/html", headers={"content-encoding": "br"}),
        Response(status_code=304, headers={"content-type": "text/html", "etag": '"1"'}),
    ],
)
def test_other_answers_are_left_alone(answer: Response, wrap: Wrap) -> None:
    sent = ask(wrap(answer), scope())
    assert b"asok/dev" not in body(sent)
    assert sent[0]["headers"] == answer.raw_headers


def test_head_is_left_alone(wrap: Wrap) -> None:
    sent = ask(wrap(HTMLResponse("x")), scope(method="HEAD"))
    assert header(sent, "content-length") == "1"


async def failing(asked: Any, receive: Any, send: Any) -> None:
    raise ValueError("no such price")


async def failing_late(asked: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError("half a page")


def test_failure_becomes_a_page(wrap: Wrap, recorder: Recorder) -> None:
    sent = ask(wrap(failing), scope("/shop"))
    assert sent[0]["status"] == 500
    assert b"no such price" in body(sent)
    assert b"GET /shop" in body(sent)
    assert recorder.lines == [("GET", "/shop", 500, "ValueError: no such price")]


def test_failure_is_text_for_programs(wrap: Wrap) -> None:
    sent = ask(wrap(failing), scope(headers={"accept": "application/json"}))
    assert header(sent, "content-type") == "text/plain; charset=utf-8"
    assert body(sent) == b"ValueError: no such price\n"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:8000"},
        {"origin": "https://evil.example"},
        {"host": ""},
    ],
)
def test_failure_shows_nothing_to_strangers(headers: dict[str, str], wrap: Wrap) -> None:
    sent = ask(wrap(failing), scope(headers=headers))
    assert body(sent) == b"This page failed; see the terminal.\n"
    sheet = ask(wrap(HTMLResponse("x", 404)), scope("/asok/dev.js", headers=headers))
    assert b"x" in body(sheet)
    assert b"connect" not in body(sheet)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "site.localhost:3000", "127.0.0.1:8000", "[::1]:8000", "[::1]"],
)
def test_names_of_this_machine_are_trusted(host: str) -> None:
    assert trusted(scope(headers={"host": host, "origin": f"http://{host}"}))


def test_failure_in_the_middle_of_a_page_is_kept_for_the_browsers(
    wrap: Wrap, recorder: Recorder
) -> None:
    app = wrap(failing_late)
    with pytest.raises(ValueError, match="half a page"):
        ask(app, scope("/late"))
    assert recorder.lines == [("GET", "/late", 500, "ValueError: half a page")]
    assert b"half a page" in body(ask(app, scope("/asok/dev/failure/1")))


def test_kept_failures_are_shown_until_there_are_too_many(wrap: Wrap) -> None:
    app = wrap(None)
    for number in range(1, 23):
        app.keep(ValueError(f"failure {number}."))
    assert ask(app, scope("/asok/dev/failure/1"))[0]["status"] == 404
    assert b"failure 22." in body(ask(app, scope("/asok/dev/failure/22")))
    assert ask(app, scope("/asok/dev/failure/x"))[0]["status"] == 404
    assert ask(app, scope("/asok/dev/other"))[0]["status"] == 404


def test_its_own_files_are_served(wrap: Wrap) -> None:
    script = ask(wrap(None), scope("/asok/dev.js"))
    assert header(script, "content-type") == "text/javascript; charset=utf-8"
    assert b"replaceSync" in body(ask(wrap(None), scope("/asok/dev/panel/style.js")))
    assert ask(wrap(None), scope("/asok/dev/panel/../dev.js"))[0]["status"] == 404
    assert header(ask(wrap(None), scope("/asok/dev.css")), "content-type") == (
        "text/css; charset=utf-8"
    )


def test_site_that_is_not_there_answers_with_why(wrap: Wrap) -> None:
    app = wrap(None, ValueError("broken"))
    for _ in range(2):
        assert b"broken" in body(ask(app, scope("/any")))
    assert ask(app, {"type": "websocket", "path": "/asok/live", "headers": []}) == [
        {"type": "websocket.close", "code": 1013}
    ]


def test_sockets_of_the_site_are_its_own(wrap: Wrap) -> None:
    async def site(asked: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    sent = ask(wrap(site), {"type": "websocket", "path": "/asok/live", "headers": []})
    assert sent == [{"type": "websocket.accept"}]


class Lifespans:
    """Runs a lifespan to its end."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive(self) -> dict[str, str]:
        return {"type": next(self._messages)}

    async def send(self, message: Any) -> None:
        self.sent.append(message["type"])


def run_lifespan(app: DevelopmentApplication) -> list[str]:
    lifespan = Lifespans()
    asyncio.run(app({"type": "lifespan"}, lifespan.receive, lifespan.send))
    return lifespan.sent


def test_lifespan_is_the_sites(wrap: Wrap) -> None:
    async def site(asked: Any, receive: Any, send: Any) -> None:
        for name in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{name}.complete"})

    assert run_lifespan(wrap(site)) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_site_that_can_not_start_is_shown_instead(wrap: Wrap) -> None:
    async def site(asked: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})
        raise ValueError("no database")

    app = wrap(site)
    assert run_lifespan(app)[0] == "lifespan.startup.complete"
    assert b"no database" in body(ask(app, scope()))


def test_site_that_fails_when_it_ends_says_so(wrap: Wrap) -> None:
    async def site(asked: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        run_lifespan(wrap(site))


def test_browsers_are_told_the_version_and_then_every_change() -> None:
    async def converse() -> tuple[list[Any], Browsers]:
        browsers = Browsers(4)
        told: list[Any] = []
        leave: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        leave.put_nowait({"type": "websocket.connect"})
        leave.put_nowait({"type": "websocket.receive", "text": '["hello", 1]'})

        async def send(message: Any) -> None:
            told.append(json.loads(message["text"]) if "text" in message else message["type"])

        talking = asyncio.create_task(browsers({"type": "websocket"}, leave.get, send))
        while len(told) < 2:
            await asyncio.sleep(0)
        assert len(browsers) == 1
        browsers.styles_changed()
        browsers.pages_changed()
        browsers.failed(7, "ValueError: x")
        while len(told) < 5:
            await asyncio.sleep(0)
        leave.put_nowait({"type": "websocket.disconnect"})
        await talking
        return told, browsers

    told, browsers = asyncio.run(converse())
    assert told == [
        "websocket.accept",
        ["version", "4.0"],
        ["style", "4.1"],
        ["reload", "4.2"],
        ["failed", 7, "ValueError: x"],
    ]
    assert len(browsers) == 0
