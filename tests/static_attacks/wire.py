"""One request over a plain socket: every client would tidy up the path before it sends."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Answer", "Headers", "send"]

Headers = Mapping[str, str] | None


@dataclass(frozen=True)
class Answer:
    """An answer as it came; `headers` in lower case, in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the one value of a header, None where it is absent."""
        found = [value for known, value in self.headers if known == name.lower()]
        assert len(found) <= 1, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def stable(self) -> tuple[object, ...]:
        """Everything but the time."""
        return self.status, tuple(h for h in self.headers if h[0] != "date"), self.body


def send(
    address: tuple[str, int], target: str, method: str = "GET", headers: Headers = None
) -> Answer:
    """Ask for `target` exactly as it is (in Latin-1) and return what came until the end."""
    lines = [f"{method} {target} HTTP/1.1"]
    fields = {"Host": "localhost", "Connection": "close", **(headers or {})}
    lines += [f"{name}: {value}" for name, value in fields.items()]
    with socket.create_connection(address, timeout=20) as wire:
        wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        raw = b""
        while data := wire.recv(65536):
            raw += data
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest)
    answer = Answer(int(first.split()[1]), tuple((n.lower(), v.strip()) for n, _, v in pairs), body)
    length = answer.header("content-length")
    if length is not None and method != "HEAD" and answer.status not in (204, 304):
        assert len(body) == int(length)
    return answer
