"""Who is slow on purpose is cut off; who only waits for the site is not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from tests.services import wait_until

from asok.cli.bounded_connection import BoundedConnection


class Hasty(BoundedConnection):
    """The same with limits that a test can wait for."""

    head_seconds = 0.4
    body_seconds = 0.4
    reader_seconds = 0.4
    sweep_seconds = 0.1


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body; slowly, or with much, where the path says so."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    length = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        more = message["more_body"]
    body = b"x" * 30_000_000 if scope["path"] == "/large" else str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def server() -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(app, http=Hasty, ws="none", log_level="error", access_log=False)
    )


@pytest.fixture(scope="module")
def port(server: uvicorn.Server) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


def dial(port: int, beginning: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(beginning)
    return connection


def is_cut_off(connection: socket.socket) -> bool:
    """Wait until the server ends the connection without an answer."""
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True
    finally:
        connection.close()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["nothing", "request line", "headers", "body", "chunk"],
)
def test_a_request_that_never_ends_is_cut_off(port: int, beginning: bytes) -> None:
    assert is_cut_off(dial(port, beginning))


def test_drops_do_not_help_headers(port: int) -> None:
    connection = dial(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")

    def ended() -> bool:
        try:
            connection.sendall(b"x")
        except OSError:
            return True
        return False

    wait_until(ended, what="the end of the connection", limit=20)
    connection.close()


def test_headers_are_bounded(port: int) -> None:
    connection = dial(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    with contextlib.suppress(OSError):
        for _ in range(40_000):
            connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        pytest.fail("forty megabytes of headers were taken")
    connection.close()


def test_the_second_request_of_a_connection_is_bounded_too(port: int) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection = dial(port, whole)
    assert connection.recv(4096).endswith(b"\r\n\r\n0")
    connection.sendall(b"GET / HTTP/1.1\r\nHost:")
    assert is_cut_off(connection)


def test_a_reader_that_takes_nothing_is_cut_off(port: int, server: uvicorn.Server) -> None:
    wait_until(lambda: not server.server_state.connections, what="the end of the others")
    connection = dial(port, b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.recv(1)
    wait_until(lambda: not server.server_state.connections, what="the end of the connection")
    received = 1
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1_000_000):
            received += len(part)
    connection.close()
    assert received < 30_000_000  # what the kernel held


def test_who_waits_for_the_site_is_left_alone(port: int) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}/slow", timeout=20).text == "0"


def test_large_and_quick_requests_are_left_alone(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for size in (0, 1, 60_000, 300_000, 3_000_000):
            assert client.post("/", content=b"x" * size).text == str(size)
        assert client.get("/", headers={"x-much": "y" * 30_000}).text == "0"
        assert len(client.get("/large").content) == 30_000_000
    body = b"x" * 100_000
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection = dial(port, (head + body) * 3 + b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    connection.sendall(b"Connection: close\r\n\r\n")
    answer = b""
    while part := connection.recv(65_536):
        answer += part
    connection.close()
    assert answer.count(b"200 OK") == 4
