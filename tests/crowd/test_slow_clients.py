"""Clients that are slow on purpose cost little, and nobody else waits for them."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from .site import Server, served

pytestmark = pytest.mark.soak

#: Connections that are held at once.
SLOW = 400
#: Private memory that each may cost, over all workers.
EACH = 64 * 1024
LARGE = "src/partials/js/large.js"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("slow")
    (root / LARGE).parent.mkdir(parents=True)
    (root / LARGE).write_text("x" * 8_000_000)
    with served(root, preview=True) as running:
        for _ in range(200):  # every worker has answered before memory is measured
            assert httpx.get(running.url).status_code == 200
        yield running


def dial(server: Server, beginning: bytes) -> socket.socket:
    port = int(server.url.rpartition(":")[2])
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(beginning)
    return connection


def others_are_served(server: Server) -> None:
    for path in ("/", "/any/listed", "/known/listed"):
        answer = httpx.get(server.url + path, timeout=10)
        assert (answer.status_code, answer.headers["x-asok-ssg-cache"]) == (200, "HIT")


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x"),
        (b"GET /" + b"x" * 100, b"y"),
        (
            b"POST /any/listed HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 100000\r\n\r\n",
            b"z",
        ),
    ],
    ids=["headers", "request line", "body"],
)
def test_requests_that_never_end(server: Server, beginning: bytes, drop: bytes) -> None:
    before = server.memory()
    held = [dial(server, beginning) for _ in range(SLOW)]
    try:
        for _ in range(5):
            for connection in held:
                try:
                    connection.send(drop)
                except OSError:
                    continue  # answered and closed already, which is as good
            others_are_served(server)
            time.sleep(0.5)
        assert server.memory() - before < SLOW * EACH
    finally:
        for connection in held:
            connection.close()
    others_are_served(server)


def test_headers_without_an_end_are_cut_off(server: Server) -> None:
    connection = dial(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    sent = 0
    try:
        for number in range(100_000):
            sent += connection.send(f"X-{number}: {'x' * 100}\r\n".encode())
    except OSError:
        pass
    finally:
        connection.close()
    assert sent < 8 * 1024 * 1024  # what the kernel's buffers take is sent too
    others_are_served(server)


def test_readers_that_never_read(server: Server) -> None:
    before = server.memory()
    request = b"GET /static/js/large.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    held = [dial(server, request) for _ in range(100)]
    try:
        with selectors.DefaultSelector() as ready:
            for connection in held:
                ready.register(connection, selectors.EVENT_READ)
            time.sleep(2)
            assert ready.select(0)
        others_are_served(server)
        # Not 800 MB: each is given a few pieces of 256 KB, the next when it has taken them.
        assert server.memory() - before < 100 * 1024 * 1024
    finally:
        for connection in held:
            connection.close()
    others_are_served(server)
