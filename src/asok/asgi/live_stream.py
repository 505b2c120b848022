"""What others change, told where no WebSocket gets through: an answer that stays open a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Final

from starlette.responses import Response, StreamingResponse

from asok.live import Conversation, Emit, HangUp, owner_of

__all__ = ["EVENTS", "LiveStreams"]

#: What asks for such an answer, and its type (HTML Standard, "Server-sent events").
EVENTS: Final = "text/event-stream"
#: Seconds that one answer stays open. A proxy ends what is silent for longer (nginx: 60); a
#: server that ends waits for it.
_SECONDS: Final = 25.0
#: Answers of one visitor at a time. A browser has six connections to a site (HTTP/1.1).
_EACH: Final = 4

#: Begins a conversation of which every frame holds whole HTML.
Begin = Callable[[Emit, HangUp], Conversation]


class LiveStreams:
    """Keeps answers open: at most `each` for a visitor, each for `seconds`."""

    def __init__(self, *, seconds: float = _SECONDS, each: int = _EACH) -> None:
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
        told: asyncio.Queue[str | None] = asyncio.Queue()

        async def hang_up(code: int, reason: str) -> None:
            told.put_nowait(None)

        conversation = begin(told.put, hang_up)
        self._open[owner] += 1
        try:
            for join in joins:
                await conversation.receive(join)
            await conversation.settle()
            if not conversation.listens:
                await self._end(owner, conversation)
                return Response(status_code=204)
        except BaseException:
            await self._end(owner, conversation)
            raise
        # "no" keeps nginx from holding it back (X-Accel-Buffering).
        headers = {"x-accel-buffering": "no"}
        events = self._events(owner, conversation, told)
        return StreamingResponse(events, media_type=EVENTS, headers=headers)

    async def _events(
        self, owner: str, conversation: Conversation, told: asyncio.Queue[str | None]
    ) -> AsyncGenerator[str]:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        try:
            while (frame := await asyncio.wait_for(told.get(), end - loop.time())) is not None:
                yield f"data: {frame}\n\n"
        except TimeoutError:
            pass
        finally:
            await self._end(owner, conversation)

    async def _end(self, owner: str, conversation: Conversation) -> None:
        self._open[owner] -= 1
        self._open += Counter()  # forgets who has none
        await conversation.close()
