"""What others change, told where no WebSocket gets through: an answer that stays open a while."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from asok.live import Conversation, Emit, HangUp, owner_of

__all__ = ["EVENTS", "LiveStreams"]

log = logging.getLogger("asok.live")

#: What asks for such an answer, and its type (HTML Standard, "Server-sent events").
EVENTS: Final = "text/event-stream"
#: Seconds that one answer stays open. A proxy ends what is silent for longer (nginx: 60); a
#: server that ends waits for it.
_SECONDS: Final = 25.0
#: Answers of one visitor at a time. A browser has six connections to a site (HTTP/1.1).
_EACH: Final = 4
#: Frames that wait for a browser before who tells it more has to wait.
_WAITING: Final = 4

#: Begins a conversation of which every frame holds whole HTML.
Begin = Callable[[Emit, HangUp], Conversation]
#: Lets what a conversation has joined live on.
Touch = Callable[[Conversation], Awaitable[None]]


class LiveStreams:
    """Keeps answers open: at most `each` for a visitor, each for `seconds`."""

    def __init__(self, touch: Touch, *, seconds: float = _SECONDS, each: int = _EACH) -> None:
        self._touch = touch
        self._seconds = seconds
        self._each = each
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._open.total()

    async def answer(self, session_id: str, joins: list[bytes], begin: Begin) -> Response:
        """Join, and tell what comes of it: 204 where nobody listens to anything, 429 for more
        answers than one visitor may have."""
        owner = owner_of(session_id)
        if self._open[owner] >= self._each:
            return Response(status_code=429)
        told = _Told()
        conversation = begin(told.put, told.hang_up)
        self._open[owner] += 1

        async def end() -> None:
            self._open[owner] -= 1
            self._open += Counter()  # forgets who has none
            told.end()
            await conversation.close()

        try:
            for join in joins:
                await conversation.receive(join)
            await conversation.settle()
            if not conversation.listens:
                await end()
                return Response(status_code=204)
            await self._touch(conversation)
        except BaseException:
            await end()
            raise
        return _Answer(told.events(self._seconds), end)


class _Told:
    """What one browser is to be told. Who tells waits, once it reads, while it reads slowly."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._reads = False
        self._room = asyncio.Event()

    async def put(self, frame: str) -> None:
        """Tell it a frame."""
        self._frames.put_nowait(frame)
        if self._reads and self._frames.qsize() > _WAITING:
            self._room.clear()
            await self._room.wait()

    async def hang_up(self, code: int, reason: str) -> None:
        """Tell it nothing after what waits."""
        self._frames.put_nowait(None)

    def end(self) -> None:
        """Let nobody wait any more."""
        self._reads = False
        self._room.set()

    async def events(self, seconds: float) -> AsyncGenerator[str]:
        """Yield the frames as events, for so long."""
        end = asyncio.get_running_loop().time() + seconds
        self._reads = True
        try:
            while True:
                async with asyncio.timeout_at(end):
                    frame = await self._frames.get()
                if self._frames.qsize() <= _WAITING:
                    self._room.set()
                if frame is None:
                    return
                yield f"data: {frame}\n\n"
        except TimeoutError:
            pass


class _Answer(StreamingResponse):
    """Events, and what is to be done at their end: also where none of them was sent, because
    the browser had gone by then."""

    def __init__(self, events: AsyncGenerator[str], end: Callable[[], Awaitable[None]]) -> None:
        # "no" keeps nginx from holding it back (X-Accel-Buffering).
        super().__init__(events, media_type=EVENTS, headers={"x-accel-buffering": "no"})
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except (ClientDisconnect, OSError):
            log.debug("a browser went away while it was told what others change")
        finally:
            await self._end()
