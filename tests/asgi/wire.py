"""A WebSocket client of single frames: it sends what no library would."""

from __future__ import annotations

import os
import socket
import struct
import zlib
from base64 import b64encode
from types import TracebackType
from urllib.parse import urlsplit

__all__ = ["CLOSE", "CONTINUATION", "TEXT", "Wire"]

CONTINUATION, TEXT, CLOSE = 0x0, 0x1, 0x8
_PING = 0x9


class Wire:
    """One connection to `/asok/live`; `extensions` is what the server agreed to."""

    def __init__(self, url: str, *, deflate: bool = False, cookie: str = "") -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=20)
        lines = [
            "GET /asok/live HTTP/1.1", f"Host: {address.netloc}", f"Origin: {url}",
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}",
        ]  # fmt: skip
        if deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate")
        if cookie:
            lines.append(f"Cookie: {cookie}")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._rest = b""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._socket.recv(65536)
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        names = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
        self.extensions = b"".join(
            value for name, _, value in names if name == b"sec-websocket-extensions"
        ).decode()
        self._inflate = zlib.decompressobj(-15)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(
        self,
        payload: bytes,
        *,
        opcode: int = TEXT,
        final: bool = True,
        rsv: int = 0,
        masked: bool = True,
    ) -> None:
        """Send one frame (RFC 6455, 5.2); `rsv` are the three reserved bits, 4 for RSV1."""
        first = (0x80 if final else 0) | rsv << 4 | opcode
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", first, size | masked << 7)
        elif size < 65536:
            head = struct.pack("!BBH", first, 126 | masked << 7, size)
        else:
            head = struct.pack("!BBQ", first, 127 | masked << 7, size)
        # A mask of zeros is a mask.
        self._socket.sendall(head + (b"\0\0\0\0" if masked else b"") + payload)

    def deflated(self, payload: bytes) -> None:
        """Send a message as permessage-deflate does (RFC 7692, 7.2.1)."""
        made = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = made.compress(payload) + made.flush(zlib.Z_SYNC_FLUSH)
        self.send(packed.removesuffix(b"\x00\x00\xff\xff"), rsv=4)

    def _take(self, size: int) -> bytes:
        while len(self._rest) < size:
            got = self._socket.recv(65536)
            if not got:
                raise EOFError("the connection was cut")
            self._rest += got
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def receive(self) -> tuple[int, bytes]:
        """Return the next frame that is no ping: its opcode and its payload."""
        while True:
            first, second = self._take(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(self._take(2), "big")
            elif size == 127:
                size = int.from_bytes(self._take(8), "big")
            payload = self._take(size)
            if first & 0x40:
                payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
            if first & 0x0F != _PING:
                return first & 0x0F, payload

    def waiting(self) -> int:
        """Return how many frames have come and were not received yet, about."""
        self._socket.setblocking(False)
        try:
            while got := self._socket.recv(65536):
                self._rest += got
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(20)
        return self._rest.count(b'["')

    def closing(self) -> int:
        """Return the code with which the server closes, whatever it sends before."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")
