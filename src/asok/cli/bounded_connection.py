"""HTTP connections of `asok preview` that end when their client is slow on purpose.

uvicorn waits for the rest of a request for as long as its client likes, and keeps any number of
header bytes: a few hundred idle connections would take every file handle of a worker.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar
from weakref import WeakSet

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

__all__ = ["BoundedConnection"]


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's own protocol, with an end to waiting; whoever is cut off sees a reset.

    Seconds are counted by a sweep over all connections of the worker, not by a timer each: a
    limit may be exceeded by `sweep_seconds`. What waits for the application is never cut off.
    """

    #: Request line and headers: bytes after the first packet, and seconds until they are whole.
    head_bytes: ClassVar[int] = 64 * 1024
    head_seconds: ClassVar[float] = 15.0
    #: Seconds without a byte of a body that is not whole yet.
    body_seconds: ClassVar[float] = 30.0
    #: Seconds in which a reader has taken nothing of what is ready for it.
    reader_seconds: ClassVar[float] = 60.0
    sweep_seconds: ClassVar[float] = 5.0

    _swept: ClassVar[WeakSet[ServerState]] = WeakSet()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._awaited, self._begun, self._size = True, False, 0
        self._heard = self.loop.time()
        self._unsent, self._unsent_since = 0, 0.0
        if self.server_state not in self._swept:
            self._swept.add(self.server_state)
            self.loop.call_later(self.sweep_seconds, self._sweep, self.loop, self.server_state)

    def on_message_begin(self) -> None:
        """Called by the parser; the head is whole at `on_headers_complete`."""
        super().on_message_begin()
        self._awaited, self._begun, self._size = True, True, 0
        self._heard = self.loop.time()

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._awaited = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._begun = False
        super().data_received(data)
        if not self._awaited:
            self._heard = self.loop.time()
        elif not self._begun:  # the packet that a head begins with may hold the end of a body
            self._size += len(data)
            if self._size > self.head_bytes:
                self.transport.abort()

    def shutdown(self) -> None:
        """Called by the server when it ends.

        A stream of events has no end to wait for, and who asks for one comes back by itself (HTML
        Standard, "Server-sent events").
        """
        super().shutdown()
        cycle = self.cycle
        if not cycle or cycle.response_complete:
            return
        if (b"accept", b"text/event-stream") in cycle.scope["headers"]:
            if cycle.response_started and cycle.chunked_encoding:
                self.transport.write(b"0\r\n\r\n")
            cycle.disconnected = True
            cycle.message_event.set()
            self.transport.close()

    def _late(self, now: float) -> bool:
        """Whether this client has kept us waiting for too long."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent or not unsent:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since > self.reader_seconds:
            return True
        waited = now - self._heard
        if self._awaited:
            return waited > self.head_seconds
        cycle = self.cycle
        awaits_body = cycle.more_body and not cycle.response_complete
        return awaits_body and not self.flow.read_paused and waited > self.body_seconds

    @classmethod
    def _sweep(cls, loop: asyncio.AbstractEventLoop, state: ServerState) -> None:
        now = loop.time()
        for connection in list(state.connections):
            if isinstance(connection, BoundedConnection) and connection._late(now):
                connection.transport.abort()
        if state.connections:
            loop.call_later(cls.sweep_seconds, cls._sweep, loop, state)
        else:
            cls._swept.discard(state)
