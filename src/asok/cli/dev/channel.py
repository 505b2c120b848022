"""Messages between the processes of the development server: JSON lines over a socket pair."""

from __future__ import annotations

import json
import socket
from typing import Any

__all__ = ["Channel", "Lines", "encode"]

_CHUNK = 65536
#: More than a supervisor has ever under way.
_DESCRIPTORS = 32


def encode(message: list[Any]) -> bytes:
    """Return `message` (its first item is its name) as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Puts messages together from the pieces that a socket gives."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[list[Any]]:
        """Return the messages that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]


class Channel:
    """One end of a socket pair, blocking. A file descriptor may travel with a message."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._lines = Lines()
        self._messages: list[list[Any]] = []
        self._descriptors: list[int] = []

    def send(self, message: list[Any], descriptor: int | None = None) -> None:
        """Send `message`, and a copy of `descriptor`. Raises `OSError`."""
        data = encode(message)
        if descriptor is None:
            self.socket.sendall(data)
        else:
            socket.send_fds(self.socket, [data], [descriptor])

    def receive(self) -> list[Any] | None:
        """Wait for a message and return it; None at the end."""
        while not self._messages:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.socket, _CHUNK, _DESCRIPTORS)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._descriptors += descriptors
            self._messages += self._lines.feed(data)
        return self._messages.pop(0)

    def descriptor(self) -> int:
        """Return the oldest descriptor that arrived and wasn't taken yet.

        One call of recvmsg may join several messages, so they are told apart by their order:
        a message that has a descriptor takes one.
        """
        return self._descriptors.pop(0)

    def close(self) -> None:
        self.socket.close()
