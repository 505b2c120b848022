"""`POST /asok/live`: the conversation where no WebSocket gets through, and without JavaScript.

JSON is a list of frames and is answered with frames: each request is a conversation of its own,
that joins what it calls, so any worker can answer it. Where events are asked for (`accept`), the
answer goes on telling what others change. A form is one call of the component that it
stands in, answered with the way back to its page.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections import Counter, OrderedDict
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from asok.asgi.live_lives import LiveLives
from asok.asgi.live_stream import EVENTS, LiveStreams
from asok.asgi.page_visit import SocketGuards
from asok.asgi.parts import Parts
from asok.asgi.uploads import bounded, read_body
from asok.errors import CallRefused, ComponentError, StateRefused
from asok.live import (
    CALL_FIELD,
    STATE_FIELD,
    TOO_BIG,
    Bucket,
    Conversation,
    Emit,
    HangUp,
    Live,
    SocketSecrets,
    owner_of,
    read_call,
    takes_files,
)
from asok.sessions import FIELD, headers_problem

__all__ = ["LiveHTTP"]

log = logging.getLogger("asok.live")

#: Frames of one request: a page's joins, and what was called meanwhile.
_FRAMES: Final = 128
#: Visitors whose rate is watched; the one that was quiet for longest is forgotten.
_VISITORS: Final = 4096
#: Seconds of waiting for its rate after which a visitor is sent away.
_PATIENCE: Final = 5.0
_JSON: Final = "application/json"
_MULTIPART: Final = "multipart/form-data"
_FORMS: Final = ("application/x-www-form-urlencoded", _MULTIPART)

_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class _Kind(msgspec.Struct, array_like=True):
    kind: str


_kinds = msgspec.json.Decoder(_Kind)


class LiveHTTP:
    """Answers the POSTs of this site's own pages."""

    def __init__(self, live: Live, parts: Parts) -> None:
        self._live = live
        self._parts = parts
        self._lives = LiveLives(live)
        self.streams = LiveStreams(self._lives.prolong)
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST."""
        parts = self._parts
        session_id = parts.session_id(scope)
        is_new = session_id is None
        if session_id is None:
            session_id = parts.ids.new()
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        # A form may bring files; they wait on the disk until it is known who takes them.
        small = min(parts.max_body, 4 * self._live.limits.frame_bytes)
        limit = parts.max_body if kind == _MULTIPART else small
        http = HTTPRequest(scope, bounded(receive, limit))
        try:
            response = await self._respond(http, kind, session_id, limit)
        except HTTPException as error:
            response = PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
        finally:
            await http.close()  # the files of a form
        response.headers["cache-control"] = "private, no-store"
        if is_new and response.status_code < 400:
            response.raw_headers.append(parts.cookies.header(session_id, parts.secure(scope)))
        await response(scope, receive, send)

    async def _respond(self, http: HTTPRequest, kind: str, session_id: str, limit: int) -> Response:
        problem = headers_problem(
            http.headers,
            scheme="https" if self._parts.secure(http.scope) else "http",
            host=http.headers.get("host", ""),
            trusted=self._parts.trusted_origins,
        )
        if problem is not None:
            log.warning("a live call over HTTP was refused: %s", problem)
            raise HTTPException(403, f"This request was refused: {problem}.")
        if kind in _FORMS:
            return await self._form(http, session_id, limit)
        if kind != _JSON:
            raise HTTPException(415, "Frames are sent as application/json.")
        body = await read_body(http, limit)
        try:
            frames = _decoder.decode(body.raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise HTTPException(400, "Frames are a list of lists.") from error
        calls = self._live.limits.batch_calls
        kinds = Counter(map(_kind_of, frames))
        if len(frames) > _FRAMES or kinds["c"] > calls:
            raise HTTPException(
                400, f"At most {_FRAMES} frames, and {calls} calls, are taken at once."
            )
        texts = [bytes(one) for one in frames]
        # The join that a call needs here is no frame of its own on a socket.
        self._take(session_id, max(kinds["j"], len(frames) - kinds["j"]))
        if http.headers.get("accept") == EVENTS:
            begin = partial(self._begin, http, session_id)
            return await self.streams.answer(session_id, texts, begin)
        answers, ended = await self._converse(http, session_id, texts)
        return Response(f"[{','.join(answers)}]", 403 if ended else 200, media_type=_JSON)

    async def _converse(
        self,
        http: HTTPRequest,
        session_id: str,
        frames: list[bytes],
        files: dict[str, object] | None = None,
    ) -> tuple[list[str], int]:
        """Return what is answered to some frames, and the code by which a socket would have
        been closed, or 0. `files` belong to the last frame."""
        answers: list[str] = []
        ended = 0

        async def emit(text: str) -> None:
            answers.append(text)

        async def hang_up(code: int, reason: str) -> None:
            nonlocal ended
            ended = code

        conversation = self._begin(http, session_id, emit, hang_up)
        try:
            for at, frame in enumerate(frames, start=1):
                await conversation.receive(frame, files=files if at == len(frames) else None)
            await conversation.settle()
            await self._lives.prolong(conversation)
        finally:
            await conversation.close()
        return answers, ended

    def _begin(
        self,
        http: HTTPRequest,
        session_id: str,
        emit: Emit,
        hang_up: HangUp,
    ) -> Conversation:
        parts = self._parts
        return self._live.conversation(
            session_id,
            emit=emit,
            hang_up=hang_up,
            secrets=SocketSecrets(csrf=parts.csrf.token(session_id) if parts.csrf_tokens else ""),
            admit=SocketGuards(parts, http.scope, session_id),
            # Each request, and the answer that stays open, changes what the page shows: a
            # difference to what it does not show any more would close the page's connection.
            whole=True,
        )

    def _take(self, session_id: str, frames: int) -> None:
        """Count a visitor's frames over all requests. Raises `HTTPException` 429."""
        owner, limits = owner_of(session_id), self._live.limits
        bucket = self._buckets.pop(owner, None) or Bucket(limits.messages_per_second, limits.burst)
        self._buckets[owner] = bucket
        if len(self._buckets) > _VISITORS:
            self._buckets.popitem(last=False)
        waits = [bucket.take() for _ in range(frames)]
        if waits and waits[-1] > _PATIENCE:
            # Whoever asks again and again gets his turn when his rate allows it, as on a socket.
            bucket.give(frames)
            raise HTTPException(429, "Too many calls.", {"retry-after": str(int(waits[-1]) + 1)})

    async def _form(self, http: HTTPRequest, session_id: str, limit: int) -> Response:
        """Make the call of a form, and lead back to the page that shows what came of it."""
        self._take(session_id, 1)
        body = await read_body(http, limit)
        token, code = body.form.get(STATE_FIELD, ""), body.form.get(CALL_FIELD, "")
        try:
            payload = await to_thread.run_sync(self._live.tokens.read, token)
            method, args = read_call(code)
            sent = {name: body.files.getlist(name) for name in body.files}
            files = takes_files(self._live.registry.get(payload.name), method, sent)
        except CallRefused as error:
            log.warning("a form was refused: %s", error)
            told = str(error) if self._live.show_errors else "This form may not send that file."
            raise HTTPException(400, told) from error
        except (StateRefused, ComponentError, ValueError) as error:
            raise HTTPException(400, "This form is not one of a component.") from error
        data: dict[str, Any] = {}
        for name in body.form:
            if name not in (STATE_FIELD, CALL_FIELD, FIELD):
                values = body.form.getlist(name)
                data[name] = values if len(values) > 1 else values[0]
        tab = f"form-{secrets.token_hex(8)}"
        frames = [["j", 1, token, tab, None], ["c", 1, 1, method, args, data]]
        encoded = [msgspec.json.encode(frame) for frame in frames]
        answers, ended = await self._converse(http, session_id, encoded, files)
        if ended:
            raise HTTPException(413 if ended == TOO_BIG else 403, "This form was refused.")
        if http.headers.get("accept") == _JSON:  # sent by a script, with its progress
            return Response(f"[{','.join(answers)}]", media_type=_JSON)
        target = self._way_back(http, payload.page)
        for answer in answers:
            kind, *rest = json.loads(answer)
            if kind == "e":
                status = 500 if rest[2] in ("failed", "timeout", "unknown") else 403
                raise HTTPException(status, rest[3] or "The call was refused.")
            if kind == "g":
                target = rest[1]
        return RedirectResponse(target, 303)

    def _way_back(self, http: HTTPRequest, page: str) -> str:
        """The page that the form was sent from, with its query; else the one it was made for."""
        came_from = urlsplit(http.headers.get("referer", ""))
        if came_from.netloc == http.headers.get("host") and came_from.path.startswith("/"):
            path = "/" + came_from.path.lstrip("/\\")
            return f"{path}?{came_from.query}" if came_from.query else path
        return self._parts.mount(http.scope) + (page or "/")


def _kind_of(frame: msgspec.Raw) -> str:
    """What a frame is, however its first letter is written."""
    try:
        return _kinds.decode(frame).kind
    except msgspec.MsgspecError:  # it is told so in its turn
        return ""
