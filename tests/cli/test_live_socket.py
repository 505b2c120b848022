"""What the sockets of `asok preview` do besides uvicorn's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from tests.asgi.wire import CLOSE, CONTINUATION, TEXT, Wire
from tests.services import free_port, wait_until

from asok.cli.live_socket import LiveSocket


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Sends every message back."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "deflate"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    port = free_port()
    config = uvicorn.Config(
        echo, port=port, ws=LiveSocket, ws_max_size=100, lifespan="off", log_level="error",
        ws_per_message_deflate=request.param,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    wait_until(lambda: server.started, what="the start of the server")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_whole_and_fragmented_text_goes_through(url: str) -> None:
    with Wire(url) as wire:
        wire.send("ä whole one".encode())
        assert wire.receive() == (TEXT, "ä whole one".encode())
        first, second = "in pieces: ä".encode()[:-1], "ä".encode()[1:]
        wire.send(first, final=False)
        wire.send(second, opcode=CONTINUATION)
        assert wire.receive() == (TEXT, first + second)
        wire.send(b"\xff, and that is no text", opcode=2)
        assert wire.receive() == (2, b"\xff, and that is no text")
        wire.send(b"\xff", opcode=2, final=False)
        wire.send(b"\xfe", opcode=CONTINUATION)
        assert wire.receive() == (2, b"\xff\xfe")


@pytest.mark.parametrize(
    "pieces", [[b"\xff"], [b"fine", b"\xff", b"never read"], [b"cut off \xc3", b""]]
)
def test_what_is_no_utf8_ends_it_without_a_word_in_the_log(
    url: str, pieces: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(url) as wire:
        for number, piece in enumerate(pieces):
            wire.send(
                piece,
                opcode=CONTINUATION if number else TEXT,
                final=piece is pieces[-1],
            )
        assert wire.closing() == 1007
    assert not caplog.records


def test_a_close_frame_may_come_in_the_middle_of_a_message(url: str) -> None:
    with Wire(url) as wire:
        wire.send(b"the beginning", final=False)
        wire.send((1000).to_bytes(2, "big"), opcode=CLOSE)
        assert wire.closing() == 1000


def test_the_limit_still_holds(url: str) -> None:
    with Wire(url) as wire:
        wire.send(b"x" * 101)
        assert wire.closing() == 1009
