"""The ASGI lifespan: what begins with a worker and ends with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import to_thread
from starlette.types import Receive, Scope, Send

__all__ = ["Lifespan"]


class Lifespan:
    """Calls `start` and `stop` once, in a thread; a failing start stops the server.

    `leave` is awaited before `stop`: it says goodbye to whoever is still connected.
    """

    def __init__(
        self,
        start: Callable[[], None],
        stop: Callable[[], None],
        leave: Callable[[], Awaitable[None]],
    ) -> None:
        self._start = start
        self._stop = stop
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await to_thread.run_sync(self._start)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._leave()
        await to_thread.run_sync(self._stop)
        await send({"type": "lifespan.shutdown.complete"})
