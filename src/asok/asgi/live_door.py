"""`/asok/live`: the WebSocket that carries a browser's conversation with its components."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import Request as HTTPRequest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from asok.asgi.live_http import LiveHTTP
from asok.asgi.live_lives import TOUCH_EVERY
from asok.asgi.page_visit import SocketGuards
from asok.asgi.parts import Parts
from asok.holes import VisitorSecrets
from asok.live import Conversation, Live

__all__ = ["LIVE_PATH", "LiveDoor"]

log = logging.getLogger("asok.live")

#: As documented.
LIVE_PATH = "/asok/live"
_GOING_AWAY = 1001
_FOREIGN = 1008


class LiveDoor:
    """Accepts sockets of this site's own pages and hands their frames to a conversation.

    `begin` is called before the first socket: an application that is mounted inside another
    one may never hear of the server's start.
    """

    def __init__(self, live: Live, parts: Parts, *, begin: Callable[[], None]) -> None:
        self._live = live
        self._begin: Callable[[], None] | None = begin
        self._parts = parts
        self._http = LiveHTTP(live, parts)
        self._open: dict[WebSocket, Conversation] = {}
        self._life: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; other HTTP than POST is told that this is a socket."""
        if scope["type"] == "websocket":
            await self._converse(WebSocket(scope, receive, send), receive, send)
            return
        if scope["method"] == "POST":
            await self._prepare()
            await self._http(scope, receive, send)
            return
        http = HTTPRequest(scope)
        answer = PlainTextResponse(
            f"{http.method} is not answered here: this is the WebSocket of live components.\n",
            426,
            {"upgrade": "websocket", "cache-control": "no-store"},
        )
        await answer(scope, receive, send)

    async def _prepare(self) -> None:
        begin, self._begin = self._begin, None
        if begin is not None:
            await to_thread.run_sync(begin)

    async def _converse(self, socket: WebSocket, receive: Receive, send: Send) -> None:
        if not self._same_origin(socket):
            # Cross-site WebSocket hijacking: the cookie alone proves nothing. Closing before
            # accepting answers the handshake with 403 (ASGI, WebSocket close).
            await socket.close(_FOREIGN)
            return
        await self._prepare()
        parts = self._parts
        session_id, headers = parts.session_id(socket.scope), list[Any]()
        if session_id is None:
            session_id = parts.ids.new()
            headers.append(parts.cookies.header(session_id, parts.secure(socket.scope)))
        await socket.accept(headers=headers)

        # Frames go straight to the server and come straight from it: what `WebSocket` checks for
        # each is known to be so from here on.
        async def emit(frame: str) -> None:
            await send({"type": "websocket.send", "text": frame})

        async def hang_up(code: int, reason: str) -> None:
            if socket.application_state is WebSocketState.CONNECTED:
                await _close(socket, code, reason)

        conversation = self._live.conversation(
            session_id,
            emit=emit,
            hang_up=hang_up,
            # One CSRF value for the socket's whole life, made where a form first shows it; and no
            # nonce, since a script in an update would not run anyway.
            secrets=VisitorSecrets(
                str, partial(parts.csrf.token, session_id) if parts.csrf_tokens else None
            ),
            admit=SocketGuards(parts, socket.scope, session_id),
        )
        self._open[socket] = conversation
        if self._life is None or self._life.done():
            self._life = asyncio.create_task(self._keep_alive())
        try:
            while not conversation.closed:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                text = message.get("text")
                await conversation.receive(text if text is not None else message["bytes"])
        finally:
            del self._open[socket]
            await conversation.close()

    async def _keep_alive(self) -> None:
        """Prolong the states of all open sockets; a task for each would cost it 2 KiB."""
        while self._open:
            await asyncio.sleep(min(TOUCH_EVERY, self._live.limits.state_seconds / 4))
            for conversation in list(self._open.values()):
                try:
                    await self._live.run_sync(conversation.touch)
                except Exception:
                    # Tried again next time: a state lives for many of these intervals.
                    log.exception("the states of an open socket could not be prolonged")

    def _same_origin(self, socket: WebSocket) -> bool:
        origin = socket.headers.get("origin", "").lower()
        if origin in self._parts.trusted_origins:
            return True
        scheme = "https" if self._parts.secure(socket.scope) else "http"
        return origin == f"{scheme}://{socket.headers.get('host', '').lower()}"

    async def close(self) -> None:
        """Ask every browser to come back (1001), after the calls that run have ended."""
        if self._life is not None:
            self._life.cancel()
        await self._live.drain(5.0)
        for socket, conversation in list(self._open.items()):
            # What a fast sender has sent is not taken any more.
            await conversation.close()
            await _close(socket, _GOING_AWAY, "the server is restarting")


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close a socket; one that its browser closed at the same moment is no error."""
    try:
        await socket.close(code, reason)
    except (RuntimeError, WebSocketDisconnect):
        log.debug("a socket was closed from the other side first")
