"""The WebSockets of `asok preview`: uvicorn's own, with what Autobahn's suite asks besides."""

from __future__ import annotations

import codecs
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

__all__ = ["LiveSocket"]

_decoder = codecs.getincrementaldecoder("utf-8")


class LiveSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol over a stricter and a milder reading of frames."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # Nothing was received yet, so that another one can take its place.
        self.conn = _Frames(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=self.conn.logger,
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop; nothing is parsed any more."""
        super().connection_lost(exc)
        # The parser is a generator that holds the connection, which holds it.
        self.conn.parser.close()


class _Frames(ServerProtocol):
    """Text that is no UTF-8 ends the connection (1007) as soon as it is seen, and without a
    traceback in the log for each; a close frame may come between the parts of a message."""

    _text: codecs.IncrementalDecoder | None = None

    def recv_frame(self, frame: Frame) -> None:
        """Take one frame. Raises `UnicodeDecodeError`, which the parser answers with 1007."""
        if frame.opcode is Opcode.CLOSE:
            # RFC 6455, 5.4: control frames may come in the middle of a fragmented message; what
            # is left of it never comes, and nobody waits for it.
            self.current_size = None
        super().recv_frame(frame)
        if frame.opcode is Opcode.TEXT:
            self._text = _decoder()
        elif frame.opcode is not Opcode.CONT:  # binary, or between the parts of a text
            return
        if self._text is not None:
            self._text.decode(bytes(frame.data), final=frame.fin)
            if frame.fin:
                self._text = None
