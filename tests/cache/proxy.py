"""A TCP proxy in front of Redis that misbehaves on demand."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ["Proxy", "proxied"]


class Proxy:
    """Passes bytes on; `mode` is "pass", "hang" (answers nothing), "dribble" (one byte of each
    answer every 120 ms), "reset" (ends each connection), or "cut" (half an answer, then the end).
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.mode = "pass"
        self.connections = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _accept(self) -> None:
        while not self._stopped:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.mode == "reset":
                client.close()
                continue
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self.mode == "reset":
                    break
                server.sendall(data)
        self._end(client, server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                while self.mode == "hang" and not self._stopped:
                    time.sleep(0.01)
                if self.mode == "dribble":
                    # With a limit of 0.3 s each byte comes in time, and no answer does: the
                    # shortest has three bytes.
                    for byte in data:
                        time.sleep(0.12)
                        client.sendall(bytes([byte]))
                elif self.mode == "cut":
                    client.sendall(data[: len(data) // 2])
                    break
                else:
                    client.sendall(data)
        self._end(client, server)

    def _end(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        self._stopped = True
        self._end(self._listener, *self._sockets)


@contextmanager
def proxied(url: str) -> Generator[Proxy]:
    """A proxy in front of the server at `url`."""
    host, _, port = url.removeprefix("redis://").partition("/")[0].partition(":")
    proxy = Proxy((host, int(port)))
    try:
        yield proxy
    finally:
        proxy.close()
