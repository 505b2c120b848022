"""The browsers that have a page open: told over one socket each what to do about a change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send

__all__ = ["Browsers"]


class Browsers:
    """Every open page of one generation, and the version of what it shows.

    A version is `generation.revision`: the revision rises with every change of a template
    or an asset. A page that shows another version than its socket's first message names was
    rendered before a change, and loads itself again.

    `page(number)` returns what the page with that number is told as soon as it says its number.
    """

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.revision = 0
        self.page: Callable[[int], list[Any] | None] = lambda number: None
        self._queues: dict[asyncio.Queue[list[Any]], int] = {}

    def __len__(self) -> int:
        return len(self._queues)

    @property
    def version(self) -> str:
        """What a page that is rendered now shows."""
        return f"{self.generation}.{self.revision}"

    def styles_changed(self) -> None:
        """Have the stylesheets swapped in place."""
        self.revision += 1
        self._push(["style", self.version])

    def pages_changed(self) -> None:
        """Have the pages loaded again."""
        self.revision += 1
        self._push(["reload", self.version])

    def failed(self, number: int, summary: str) -> None:
        """Show that something failed behind the page: a live call, a background render."""
        self._push(["failed", number, summary])

    def tell(self, page: int, message: list[Any]) -> None:
        """Tell one page something."""
        for queue, number in self._queues.items():
            if number == page:
                queue.put_nowait(message)

    def _push(self, message: list[Any]) -> None:
        for queue in self._queues:
            queue.put_nowait(message)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser's socket until it is closed; the server does so when it retires."""
        await receive()
        await send({"type": "websocket.accept"})
        queue: asyncio.Queue[list[Any]] = asyncio.Queue()
        self._queues[queue] = 0
        queue.put_nowait(["version", self.version])
        pushing = asyncio.create_task(self._pushed(queue, send))
        leaving = asyncio.create_task(self._heard(queue, receive))
        try:
            await asyncio.wait({pushing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._queues.pop(queue)
            pushing.cancel()
            leaving.cancel()
            await asyncio.gather(pushing, leaving, return_exceptions=True)

    @staticmethod
    async def _pushed(queue: asyncio.Queue[list[Any]], send: Send) -> None:
        while True:
            message = await queue.get()
            await send({"type": "websocket.send", "text": json.dumps(message)})

    async def _heard(self, queue: asyncio.Queue[list[Any]], receive: Receive) -> None:
        """Listen to a browser until it leaves: it may say `["page", number]`."""
        while (message := await receive())["type"] != "websocket.disconnect":
            name, number = json.loads(message["text"])
            if name == "page":
                self._queues[queue] = number
                told = self.page(number)
                if told is not None:
                    queue.put_nowait(told)
