"""The store in Redis, shared by every process and host; this file alone needs the package.

    <space>:v:<key>    a value as JSON text; with more than that: see `redis_entry`
    <space>:l:<key>    the token of who computes the value, for a few seconds at a time

Every operation ends within one deadline, whatever the server does; after trouble the breaker
answers at once. Redis counts the time to live itself, so hosts need no common clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Final, cast

from asok.cache import redis_scripts as scripts
from asok.cache.api import Entry, Lease, Tags, Usage
from asok.cache.counter import counter_sum, not_a_counter
from asok.cache.redis_entry import is_marked, join_entry, read_entry
from asok.cache.values import dumps
from asok.errors import CacheUnavailable, ConfigurationError
from asok.redis_link.lease import RedisLease

try:
    from asok.redis_link.leases import RedisLeases
    from asok.redis_link.link import RedisLink
except ImportError as error:  # pragma: no cover  (a test runs it in a process without redis)
    raise ConfigurationError(
        "the cache backend 'redis' needs the package redis, which is not installed.",
        fix='Run: pip install "asok[redis]"',
    ) from error

__all__ = ["RedisStore"]

#: Bytes of a stored value, at most: larger ones would hold up everybody on the server.
VALUE_LIMIT: Final = 16 * 1024 * 1024
#: Keys that are removed in one step of `clear`.
_BATCH: Final = 500
#: Entries that are stored or removed in one step, for the server does nothing else meanwhile.
_TOGETHER: Final = 1000


class RedisStore:
    """Entries under `space` in the Redis at `url`.

    `timeout` (seconds) is the limit of a whole operation, `connections` bounds the pool of a
    process. Raises `ConfigurationError` for a URL that is none.
    """

    blocking = True

    def __init__(
        self, url: str, *, space: str = "asok", timeout: float = 5.0, connections: int = 32
    ) -> None:
        self.space = space
        self._link = RedisLink(
            url, timeout=timeout, connections=connections, error=CacheUnavailable
        )
        self._run = self._link.run
        self._values = f"{space}:v:".encode()
        self._leases = f"{space}:l:".encode()
        self._set = self._link.script(scripts.SET)
        self._commit = self._link.script(scripts.COMMIT)
        self._add = self._link.script(scripts.ADD)
        self._delete = self._link.script(scripts.DELETE)
        self._touch = self._link.script(scripts.TOUCH)
        self._held = RedisLeases(self._link)

    def _names(self, key: str) -> tuple[bytes, bytes]:
        name = key.encode("utf-8", "surrogatepass")
        return self._values + name, self._leases + name

    def get(self, key: str) -> Entry | None:
        name = self._values + key.encode("utf-8", "surrogatepass")

        def fetch(client: Any) -> Entry | None:
            data: bytes | None = client.get(name)
            if data is None:
                return None
            return read_entry(data, lambda: client.pttl(name))

        return self._run(fetch)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        names = [self._names(key)[0] for key in keys]

        def fetch(client: Any) -> dict[str, Entry]:
            held: dict[str, bytes] = dict(zip(keys, client.mget(names), strict=True))
            marked = [key for key, data in held.items() if data and is_marked(data)]
            left: dict[str, int] = {}
            if marked:
                with client.pipeline(transaction=False) as pipe:
                    for key in marked:
                        pipe.pttl(self._names(key)[0])
                    left = dict(zip(marked, pipe.execute(), strict=True))
            read = {
                key: read_entry(data, lambda key=key: left[key])
                for key, data in held.items()
                if data
            }
            return {key: entry for key, entry in read.items() if entry is not None}

        return self._run(fetch) if names else {}

    def set(
        self,
        key: str,
        value: Any,
        *,
        ttl: float | None,
        stale: float = 0.0,
        tags: Tags = (),
        cost: float = 0.0,
        lease: Lease | None = None,
    ) -> bool:
        data = join_entry(dumps(value), stale if ttl is not None else 0.0, tags, cost)
        if len(data) > VALUE_LIMIT:
            self.delete(key)
            return False
        milliseconds = _milliseconds(ttl, stale)
        if lease is None:
            self._replace([key], [milliseconds, data])
            return True
        args = [cast("RedisLease", lease).end(), data, milliseconds]
        keys = [*self._names(key)]
        return bool(self._run(lambda client: self._commit(keys=keys, args=args, client=client)))

    def _replace(self, keys: Sequence[str], args: Sequence[object]) -> None:
        """Store values, in one step with the ends of their leases.

        So a computation that began before is not stored in between. A script takes half the time
        of MULTI and EXEC in redis-py.
        """
        names = [name for key in keys for name in self._names(key)]
        self._run(lambda client: self._set(keys=names, args=args, client=client))

    def set_many(self, values: Mapping[str, Any], *, ttl: float | None, tags: Tags = ()) -> int:
        made = {key: join_entry(dumps(value), tags=tags) for key, value in values.items()}
        fitting = {key: data for key, data in made.items() if len(data) <= VALUE_LIMIT}
        time = _milliseconds(ttl, 0.0)
        for part in _parts([*fitting]):
            self._replace(part, [time, *(fitting[key] for key in part)])
        self.delete_many([key for key in made if key not in fitting])
        return len(fitting)

    def add(self, key: str, value: Any, *, ttl: float | None, tags: Tags = ()) -> bool:
        data = join_entry(dumps(value), tags=tags)
        if len(data) > VALUE_LIMIT:
            return False
        name, _ = self._names(key)
        args = [data, _milliseconds(ttl, 0.0)]
        return bool(self._run(lambda client: self._add(keys=[name], args=args, client=client)))

    def incr(self, key: str, delta: int, *, ttl: float | None) -> int:
        name, _ = self._names(key)
        counter_sum(key, 0, delta)  # refuse a step that Redis would not take either

        def count(client: Any) -> int:
            with client.pipeline(transaction=True) as pipe:
                # In one step, so that no counter is ever left without its end.
                pipe.set(name, 0, px=_milliseconds(ttl, 0.0) or None, nx=True)
                pipe.incrby(name, delta)
                return pipe.execute()[1]

        try:
            return self._run(count)
        except CacheUnavailable as error:
            refusal = str(error.__cause__)
            if "not an integer" not in refusal and "overflow" not in refusal:
                raise
        entry = self.get(key)
        if entry is not None and not entry.fresh:  # in its grace, so it counts as absent
            self.delete(key)
            return self.incr(key, delta, ttl=ttl)
        if entry is not None and entry.plain:
            counter_sum(key, entry.value, delta)
        raise not_a_counter(key, "a value with tags or a time of grace")

    def touch(self, key: str, ttl: float | None) -> bool:
        name, _ = self._names(key)
        args = [_milliseconds(ttl, 0.0)]
        return bool(self._run(lambda client: self._touch(keys=[name], args=args, client=client)))

    def delete(self, key: str) -> bool:
        return self.delete_many((key,)) > 0

    def delete_many(self, keys: Sequence[str]) -> int:
        found = 0
        for part in _parts(keys):
            names = [name for key in part for name in self._names(key)]
            found += self._run(lambda client, names=names: self._delete(keys=names, client=client))
        return found

    def clear(self) -> None:
        # Leases first: from then on nothing that was begun before is stored.
        for space in (self._leases, self._values):
            for names in self._scan(space):
                self._run(lambda client, names=names: client.unlink(*names))

    def _scan(self, prefix: bytes) -> Iterator[list[bytes]]:
        """The names that begin with `prefix`, in batches; each step has its own deadline."""
        pattern = b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^-" else bytes([c]) for c in prefix)
        cursor: int = 0
        while True:
            at = cursor
            cursor, names = self._run(
                lambda client, at=at: client.scan(at, match=pattern + b"*", count=_BATCH)
            )
            if names:
                yield names
            if not cursor:
                return

    def usage(self) -> Usage:
        sizes: list[int] = []
        for names in self._scan(self._values):
            sizes += self._run(lambda client, names=names: _lengths(client, names))
        return Usage(len(sizes), sum(sizes))

    def lease(self, key: str) -> Lease | None:
        return self._held.acquire(self._names(key)[1])

    def close(self) -> None:
        self._held.stop()
        self._link.close()


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[at : at + _TOGETHER] for at in range(0, len(keys), _TOGETHER))


def _lengths(client: Any, names: list[bytes]) -> list[int]:
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.strlen(name)
        found: list[Any] = pipe.execute(raise_on_error=False)  # an error for what is no text
    return [length for length in found if isinstance(length, int)]


def _milliseconds(ttl: float | None, stale: float) -> int:
    """The time until Redis drops an entry; 0 for never."""
    return 0 if ttl is None else max(1, ceil((ttl + stale) * 1000))
