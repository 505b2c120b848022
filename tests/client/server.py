"""A server that speaks the wire of `/asok/live` and does what a test tells it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from playwright.sync_api import Error, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from asok.live.runtime import SCRIPTS, script_bytes

from ..services import free_port, wait_until

__all__ = ["CSP", "Component", "Frame", "LiveServer", "until", "wrapper"]

Frame = list[Any]

#: The strictest policy under which the runtime has to work.
CSP = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'"
)


def until(page: Page, expression: str, arg: object = None) -> None:
    """Return when a JavaScript expression (or function of `arg`) is true in the page.

    Playwright's own waiting evaluates strings inside the page, which the policy forbids.
    """

    def true() -> bool:
        try:
            return bool(page.evaluate(expression, arg))
        except Error as error:
            if "context was destroyed" in error.message:
                return False  # It navigates: ask the next page.
            raise

    wait_until(true, what=expression, limit=15)


def wrapper(inside: str, *, cid: str = "1", client: str = "") -> str:
    """Return the HTML of a component, as a page holds it."""
    when = f' data-asok-client="{client}"' if client else ""
    return (
        f'<div id="asok-{cid}" data-asok-component="Test" data-asok-state="token-{cid}"{when}>'
        f"{inside}</div>"
    )


@dataclass
class Component:
    """The server's half of one component: a state, a render, a version; every call runs once."""

    render: Callable[[dict[str, Any]], str]
    state: dict[str, Any]
    methods: dict[str, Callable[..., object]]
    version: int = 0
    ran: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    done: dict[str, int] = field(default_factory=dict[str, int])
    #: The version and HTML that the browser is known to hold.
    base: tuple[int, str] | None = None

    def push(self, n: int = 1, seq: int = 0) -> Frame:
        """Return the frame that brings the browser up to date: a splice where it has a base."""
        self.version += 1
        html = self.render(self.state)
        base, self.base = self.base, (self.version, html)
        if base is None:
            return ["h", n, self.version, html, seq]
        old, new = _units(base[1]), _units(html)
        start = 0
        while start < min(len(old), len(new)) and old[start] == new[start]:
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
            end += 1
        text = b"".join(new[start : len(new) - end]).decode("utf-16-le", "surrogatepass")
        splice = [start, len(old) - start - end, text]
        return ["s", n, self.version, base[0], [splice], seq]

    def answer(self, frame: Frame, tab: str) -> list[Frame]:
        """Return the frames that answer a frame of the browser."""
        kind, n = frame[0], frame[1]
        if kind == "j":
            shown = frame[4]
            if shown == self.version or (shown is None and self.version == 0):
                return [["o", n, self.version, 0]]
            self.base = (self.version, self.render(self.state))
            return [["h", n, *self.base, 0]]
        if kind == "l":
            return []
        seq, method, args, data = frame[2], frame[3], frame[4], frame[5]
        if seq <= self.done.get(tab, 0):
            return [["o", n, self.version, seq]]
        self.done[tab] = seq
        self.ran.append((method, seq))
        self.methods[method](self.state, *args, data)
        return [self.push(n, seq)]


def _units(text: str) -> list[bytes]:
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]


class LiveServer:
    """Pages, the runtime and the socket, on a free port, in a thread of its own.

    `answer(frame, tab)` is called in that thread for each frame. `frames` are what arrived,
    `sockets` how many were opened; `delay()` is the seconds that each of them waits.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.answer: Callable[[Frame, str], list[Frame]] = _agree
        self.delay: Callable[[], float] = float
        self.refuse = False
        self.frames: list[Frame] = []
        self.posts: list[str] = []
        self.scripts: list[str] = []
        self.sockets = 0
        self._open: list[WebSocket] = []
        self._loop = asyncio.new_event_loop()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        app = Starlette(
            routes=[
                Route("/asok/{script}.js", self._script),
                Route("/prefix/asok/{script}.js", self._script),
                WebSocketRoute("/asok/live", self._socket),
                WebSocketRoute("/prefix/asok/live", self._socket),
                Route("/{path:path}", self._page, methods=["GET", "POST"]),
            ]
        )
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=self.port,
            log_level="error",
            ws="websockets-sansio",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self._server.started, what="the start of the test's server")

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # What a test says.

    def page(self, body: str, path: str = "/", *, runtime: str = "/asok/alive.js") -> str:
        """Put a page with the runtime at `path` and return its address."""
        self.pages[path] = (
            "<!doctype html><meta charset=utf-8><title>test</title>"
            f'<script type="module" src="{runtime}"></script><body>{body}'
        )
        return self.url + path

    def serve(self, component: Component) -> None:
        """Answer as `component`."""
        self.answer = component.answer

    def send(self, *frames: Frame) -> None:
        """Push frames to every open socket."""

        async def work() -> None:
            for socket in list(self._open):
                for frame in frames:
                    await socket.send_text(json.dumps(frame))

        self._do(work())

    def drop(self, code: int = 1012) -> None:
        """Close every socket."""

        async def work() -> None:
            for socket in list(self._open):
                await socket.close(code)

        self._do(work())

    def got(self, kind: str) -> list[Frame]:
        """Return the frames of one kind that arrived."""
        return [frame for frame in self.frames if frame[0] == kind]

    @property
    def connected(self) -> int:
        """How many sockets are open now."""
        return len(self._open)

    # What the browser asks.

    async def _script(self, request: Request) -> Response:
        script: str = request.path_params["script"].partition("-")[0]
        assert script in SCRIPTS, f"nobody serves {request.url.path}"
        self.scripts.append(script)
        return Response(script_bytes(script), media_type="text/javascript")

    async def _page(self, request: Request) -> Response:
        if request.method == "POST":
            self.posts.append(request.url.path)
        html = self.pages.get(request.url.path)
        if html is None:
            return Response(status_code=204 if "favicon" in request.url.path else 404)
        return HTMLResponse(html, headers={"content-security-policy": CSP, **self.headers})

    async def _socket(self, socket: WebSocket) -> None:
        if self.refuse:
            await socket.close()
            return
        await socket.accept()
        self.sockets += 1
        self._open.append(socket)
        inbox: asyncio.Queue[tuple[float, Frame]] = asyncio.Queue()
        worker = asyncio.create_task(self._work(socket, inbox))
        try:
            while True:
                frame: Frame = json.loads(await socket.receive_text())
                self.frames.append(frame)
                inbox.put_nowait((self._loop.time() + self.delay(), frame))
        except WebSocketDisconnect:
            pass
        finally:
            self._open.remove(socket)
            worker.cancel()

    async def _work(self, socket: WebSocket, inbox: asyncio.Queue[tuple[float, Frame]]) -> None:
        tab = ""
        while True:
            due, frame = await inbox.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            tab = frame[3] if frame[0] == "j" else tab
            for reply in self.answer(frame, tab):
                try:
                    await socket.send_text(json.dumps(reply))
                except (RuntimeError, WebSocketDisconnect):
                    return


def _agree(frame: Frame, tab: str) -> list[Frame]:
    """A server that has nothing to say: joins and calls change nothing."""
    if frame[0] == "l":
        return []
    return [["o", frame[1], 0, frame[2] if frame[0] == "c" else 0]]
