"""One child of the fork server, as the supervisor sees it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from asok.cli.dev.channel import Channel, Lines, encode

__all__ = ["Generation"]


class Generation:
    """A process that serves, or is about to.

    `on_message(generation, message)` is called for each of its messages, and with
    `["ended"]` when it is gone.
    """

    def __init__(self, number: int, on_message: Callable[[Generation, list[Any]], None]) -> None:
        self.number = number
        self.ready = False
        self.retired = False
        self._on_message = on_message
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self, zygote: Channel) -> None:
        """Have it forked."""
        ours, theirs = socket.socketpair()
        try:
            zygote.send(["start", self.number], theirs.fileno())
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        lines = Lines()
        try:
            while data := await reader.read(65_536):
                for message in lines.feed(data):
                    self._on_message(self, message)
        except ConnectionResetError:
            pass  # it was killed; the same as its end
        self._on_message(self, ["ended"])

    def tell(self, message: list[Any]) -> None:
        """Send it a message; one that is gone doesn't hear it."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(encode(message))

    def retire(self) -> None:
        """Ask it to stop accepting, to send its browsers to the next one, and to end."""
        if not self.retired:
            self.retired = True
            self.tell(["retire"])

    async def gone(self, seconds: float) -> bool:
        """Wait up to `seconds` for its end; tell whether it came."""
        if self._reading is None:
            return True
        done, _ = await asyncio.wait({self._reading}, timeout=seconds)
        return bool(done)

    def close(self) -> None:
        """Close our end, which ends a child that still listens to it."""
        if self._writer is not None:
            self._writer.close()
