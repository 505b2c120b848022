"""One time limit for a whole operation of redis-py: connecting, handshake, every send and receive.

redis-py's own timeouts are for each of these, so a server that answers a byte at a time can
hold a caller for minutes. Here the remaining time is set before every one of them. (Looking
up a host name is the operating system's and has its own limit.)
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any, Final

from redis import Connection, ConnectionPool, Redis
from redis import connection as redis_connection
from redis.backoff import NoBackoff
from redis.retry import Retry

__all__ = ["Deadline", "bounded_client"]

_SHORTEST: Final = 0.001
_GRAIN: Final = 0.005


class Deadline(threading.local):
    """The end of the operation that this thread is in."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.end = 0.0

    def begin(self) -> None:
        """Begin an operation: it ends `timeout` seconds from now."""
        self.end = monotonic() + self.timeout

    def finish(self) -> None:
        """The operation is over."""
        self.end = 0.0

    def left(self) -> float:
        """Seconds left, never 0, which would mean "do not wait" to a socket."""
        end = self.end
        if not end:
            return self.timeout
        left = end - monotonic()
        return max(_SHORTEST, left)


class _TimedSocket:
    """A socket whose every send and receive gets what is left of the deadline."""

    def __init__(self, socket: Any, deadline: Deadline) -> None:
        self._deadline = deadline
        self._set = -1.0
        self._settimeout = socket.settimeout
        self._recv = socket.recv
        self._recv_into = socket.recv_into
        self._sendall = socket.sendall
        # All the rest is the socket's own. Not by `__getattr__`: redis-py asks before each
        # command for a name that only TLS sockets have, which would cost an exception.
        for name in dir(socket):
            if not name.startswith("_") and not hasattr(_TimedSocket, name):
                setattr(self, name, getattr(socket, name))

    def settimeout(self, value: float | None) -> None:
        """The deadline decides."""

    def _arm(self) -> None:
        end = self._deadline.end
        left = end - monotonic() if end else self._deadline.timeout
        if left <= _SHORTEST:
            raise TimeoutError("the time for this operation is up")
        # Not for a few milliseconds: setting it is a call into the kernel.
        if not -_GRAIN < left - self._set < _GRAIN:
            self._settimeout(left)
            self._set = left

    def recv(self, *args: Any) -> bytes:
        self._arm()
        return self._recv(*args)

    def recv_into(self, *args: Any) -> int:
        self._arm()
        return self._recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self._arm()
        self._sendall(*args)


def _timed(base: type[Connection], deadline: Deadline) -> type[Connection]:
    """A connection class of redis-py (TCP, TLS or Unix) that keeps the deadline."""

    class Timed(base):  # type: ignore[misc,valid-type]
        @property
        def socket_timeout(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
            return deadline.left()

        @socket_timeout.setter
        def socket_timeout(self, value: Any) -> None:  # what redis-py would set
            pass

        @property
        def socket_connect_timeout(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
            return deadline.left()

        @socket_connect_timeout.setter
        def socket_connect_timeout(self, value: Any) -> None:  # what redis-py would set
            pass

        def _connect(self) -> Any:
            connect: Any = super()._connect
            return _TimedSocket(connect(), deadline)

    return Timed


def bounded_client(url: str, deadline: Deadline, *, connections: int) -> Any:
    """A client of the server at `url` that keeps `deadline` and never tries twice.

    Raises `ValueError` for a URL that redis-py does not take.
    """
    untyped: Any = redis_connection
    base: type[Connection] = untyped.parse_url(url).get("connection_class", Connection)
    pools: Any = ConnectionPool
    pool = pools.from_url(
        url,
        connection_class=_timed(base, deadline),
        max_connections=connections,
        socket_timeout=deadline.timeout,
        socket_connect_timeout=deadline.timeout,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        health_check_interval=0,
        # RESP2: no pushed messages, one round trip less to connect.
        protocol=2,
    )
    return Redis(connection_pool=pool)
