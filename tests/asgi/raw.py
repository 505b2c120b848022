"""Requests as a server hands them to the application, with paths that clients would tidy up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from asok import Asok

__all__ = ["Answer", "ask"]


@dataclass(frozen=True)
class Answer:
    """One answer; header names are in lower case, later ones win."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: How many messages of the request's body the application asked for.
    received: int
    #: The Link headers that were sent before the answer, as 103 Early Hints.
    hints: tuple[bytes, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    app: Asok,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: Iterable[bytes] = (b"",),
    extensions: Iterable[str] = (),
) -> Answer:
    """Send one request for `target` (path and query as they stand in the request line).

    `extensions` are those of ASGI that the server offers.
    """
    raw, _, query = target.partition("?")
    fields = {"host": "localhost", **(headers or {})}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "extensions": {name: {} for name in extensions},
    }
    pieces = iter(body)
    sent: list[Any] = []
    received = 0
    following = next(pieces, b"")

    async def receive() -> Any:
        nonlocal received, following
        received += 1
        chunk, following = following, next(pieces, None)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": following is not None}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    start = next(message for message in sent if message["type"] == "http.response.start")
    parts = [part.get("body", b"") for part in sent if part["type"] == "http.response.body"]
    names = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    early = sent[: sent.index(start)]
    hints = tuple(link for message in early for link in message["links"])
    return Answer(start["status"], names, b"".join(parts), received, hints)
