"""Clicks without a browser: raw sockets, prebuilt frames, one click on its way per connection.

Masks are zero, which RFC 6455 allows and which costs the server the same; so a click costs this
process a few microseconds, and the server is what is measured.
"""

from __future__ import annotations

import os
import re
import select
import socket
import statistics
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Measured", "Visitor", "WebSocketVisitor", "busy_seconds", "measure"]

_RECEIVE = 1 << 16
#: The first byte of a whole message of that kind (RFC 6455, 5.2).
_TEXT, _PING, _PONG = 0x81, 0x89, 0x8A
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """`p50`, `p99`: seconds of a round trip alone on the server; `rate`: clicks a second of many
    connections; `cost`: seconds of the server's processor for one of those; `busy`: the part
    of its time for which this process worked meanwhile."""

    p50: float
    p99: float
    rate: float
    cost: float
    busy: float


class Visitor(ABC):
    """One open page: `click` is what its browser sends, `take` is told what comes back.

    `up` and `down` are the payloads of the last click and of its answer, without headers.
    """

    socket: socket.socket
    up: bytes = b""
    down: bytes = b""

    def connect(self, url: str, source: str = "") -> None:
        """Open the connection that the clicks go over."""
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or 80)
        self.socket = socket.create_connection(
            address, timeout=30, source_address=(source, 0) if source else None
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @abstractmethod
    def click(self) -> bytes:
        """The bytes of the next click."""

    @abstractmethod
    def take(self, data: bytes) -> bool:
        """Take received bytes; whether the click is answered now."""

    def wait(self) -> None:
        """Receive until the click is answered."""
        while not self.take(self.received()):
            pass

    def received(self) -> bytes:
        """What came; fails at the end of the connection."""
        data = self.socket.recv(_RECEIVE)
        if not data:
            raise SystemExit(f"the server closed the connection of {self!r}")
        return data


class WebSocketVisitor(Visitor):
    """Speaks RFC 6455; a subclass says what is written and what answers it."""

    def open(self, url: str, path: str, source: str = "", **headers: str) -> None:
        """Shake hands."""
        self.connect(url, source)
        self._rest = b""
        lines = [
            f"GET {path} HTTP/1.1",
            f"host: {urlsplit(url).netloc}",
            "upgrade: websocket",
            "connection: Upgrade",
            "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
            "sec-websocket-version: 13",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.received()
        head, _, self._rest = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise SystemExit(f"{url}{path} did not become a socket: {head.decode()}")

    def send(self, text: str) -> None:
        """Send one text message."""
        self.socket.sendall(framed(text.encode()))

    def click(self) -> bytes:
        self.up = self.text().encode()
        return framed(self.up)

    def take(self, data: bytes) -> bool:
        answered = False
        for payload in self.payloads(data):
            if self.answers(payload):
                self.down, answered = payload, True
        return answered

    def payloads(self, data: bytes) -> list[bytes]:
        """Return the payloads of the messages that are whole now; pings are answered."""
        data = self._rest + data if self._rest else data
        found: list[bytes] = []
        at, end = 0, len(data)
        while end - at >= 2:
            size, head = data[at + 1], at + 2
            if size == 126:
                size, head = (data[head] << 8) + data[head + 1], head + 2
            elif size == 127:
                size, head = struct.unpack_from("!Q", data, head)[0], head + 8
            if head + size > end:
                break
            payload = data[head : head + size]
            if data[at] == _PING:
                self.socket.sendall(framed(payload, _PONG))
            else:
                found.append(payload)
            at = head + size
        self._rest = data[at:]
        return found

    @abstractmethod
    def text(self) -> str:
        """The message of the next click."""

    @abstractmethod
    def answers(self, payload: bytes) -> bool:
        """Whether this message is what the last click asked for."""


def framed(payload: bytes, kind: int = _TEXT) -> bytes:
    """Return a browser's frame, with a mask of zero."""
    size = len(payload)
    if size < 126:
        return bytes([kind, 0x80 | size]) + b"\0\0\0\0" + payload
    if size < 1 << 16:
        return struct.pack("!BBH", kind, 0xFE, size) + b"\0\0\0\0" + payload
    return struct.pack("!BBQ", kind, 0xFF, size) + b"\0\0\0\0" + payload


def measure(visitors: Sequence[Visitor], pid: int, *, clicks: int, seconds: float) -> Measured:
    """Click with the first visitor alone, then with all of them at the same time."""
    alone = _alone(visitors[0], clicks)
    cuts = statistics.quantiles(alone, n=100)
    cpu, own, began = busy_seconds(pid), time.process_time(), time.perf_counter()
    count = _together(visitors, seconds)
    taken = time.perf_counter() - began
    own, cpu = time.process_time() - own, busy_seconds(pid) - cpu
    return Measured(cuts[49], cuts[98], count / taken, cpu / count, own / taken)


def _alone(visitor: Visitor, clicks: int) -> list[float]:
    times: list[float] = []
    for _ in range(clicks):
        data = visitor.click()
        began = time.perf_counter()
        visitor.socket.sendall(data)
        visitor.wait()
        times.append(time.perf_counter() - began)
    return times


def _together(visitors: Sequence[Visitor], seconds: float) -> int:
    """Let every visitor click again as soon as its last click was answered; count the answers."""
    by_handle = {visitor.socket.fileno(): visitor for visitor in visitors}
    poll = select.epoll()
    for handle in by_handle:
        poll.register(handle, select.EPOLLIN)
    end = time.perf_counter() + seconds
    count = waiting = 0
    for visitor in visitors:
        visitor.socket.sendall(visitor.click())
        waiting += 1
    going = True
    while waiting:
        going = going and time.perf_counter() < end
        ready = poll.poll(30)
        if not ready:
            raise SystemExit("nothing was answered for 30 s")
        for handle, _ in ready:
            visitor = by_handle[handle]
            if visitor.take(visitor.received()):
                count += 1
                if going:
                    visitor.socket.sendall(visitor.click())
                else:
                    waiting -= 1
    poll.close()
    return count


def busy_seconds(pid: int) -> float:
    """Processor time of a process and its children so far."""
    root = Path(f"/proc/{pid}")
    # After the name, which may hold spaces: utime and stime are the 12th and 13th (proc(5)).
    fields = re.sub(r".*\) ", "", root.joinpath("stat").read_text(), flags=re.DOTALL).split()
    own = (int(fields[11]) + int(fields[12])) / _TICKS
    children = root.joinpath(f"task/{pid}/children").read_text().split()
    return own + sum(busy_seconds(int(child)) for child in children)
