"""One process's way to a Redis server: every operation ends within one deadline.

After trouble the breaker answers at once until the server is known to be well again.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import redis

from asok.errors import ConfigurationError, Unavailable
from asok.forked import renew_in_children
from asok.redis_link.breaker import Breaker
from asok.redis_link.deadline import Deadline, bounded_client

__all__ = ["RedisLink"]

T = TypeVar("T")


class RedisLink:
    """The server at `url`, used by everybody in this process.

    `timeout` (seconds) is the limit of a whole operation, `connections` bounds the pool,
    `error` is raised for any trouble. Raises `ConfigurationError` for a URL that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        connections: int = 32,
        error: type[Unavailable] = Unavailable,
    ) -> None:
        self.timeout = timeout
        self.deadline = Deadline(timeout)
        self._connections = connections
        self._error = error
        try:
            self.client: Any = bounded_client(url, self.deadline, connections=connections)
        except ValueError as refused:
            raise ConfigurationError(
                f"got {url!r} as the address of Redis: {refused}.",
                fix="Set REDIS_URL=redis://localhost:6379/0",
            ) from refused
        self.slots = _slots(connections)
        self.breaker = Breaker(f"Redis at {_shown(url)}", self._ping, error=error)
        renew_in_children(self)

    @property
    def name(self) -> str:
        """The server, as error messages call it: without its password."""
        return self.breaker.name

    def renew(self) -> None:
        """After a fork: redis-py makes new connections by itself; locks and threads are ours."""
        self.slots = _slots(self._connections)
        self.breaker.renew()

    def script(self, source: str) -> Any:
        """Return a Lua script; call it with `keys`, `args` and the `client` of `run`."""
        return self.client.register_script(source)

    def run(self, action: Callable[[Any], T], *, guarded: bool = True) -> T:
        """Run `action(client)` within the deadline. Raises `error` for any trouble."""
        breaker = self.breaker
        if guarded and breaker.open:
            breaker.check()
        slots, deadline = self.slots, self.deadline
        deadline.begin()
        try:
            slots.get(timeout=self.timeout)
        except Empty:
            self._trouble(f"no connection was free for {self.timeout:g} s", guarded)
        else:
            try:
                return action(self.client)
            except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
                self._trouble(f"{type(error).__name__}: {error}", guarded, error)
            except redis.ReadOnlyError as error:
                # A replica after a failover: the next operation connects anew, to the master.
                self.client.connection_pool.disconnect(inuse_connections=False)
                raise self._error(f"{breaker.name} is a replica: {error}") from error
            except redis.RedisError as error:
                raise self._error(f"{breaker.name} refused: {error}") from error
            finally:
                slots.put(None)
        finally:
            deadline.finish()

    def _trouble(self, reason: str, guarded: bool, cause: BaseException | None = None) -> NoReturn:
        if guarded:
            # Those that nobody uses are as dead, and would be the next trouble after recovery.
            self.client.connection_pool.disconnect(inuse_connections=False)
            self.breaker.trip(reason)
        raise self._error(f"{self.breaker.name}: {reason}") from cause

    def _ping(self) -> None:
        self.run(lambda client: client.ping(), guarded=False)

    def close(self) -> None:
        """End the connections that nobody uses."""
        self.client.connection_pool.disconnect()


def _slots(connections: int) -> SimpleQueue[None]:
    """As many places as connections, so that the wait for one is part of the deadline.

    A `Semaphore` does the same in Python code, at 3 µs instead of 0.2.
    """
    slots: SimpleQueue[None] = SimpleQueue()
    for _ in range(connections):
        slots.put(None)
    return slots


def _shown(url: str) -> str:
    """A URL without its password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
