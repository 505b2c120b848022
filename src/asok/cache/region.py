"""`Cache`: one region over one store, and everything that can be asked of it.

A store that fails costs a miss and a log line, never the page. What the caller did wrong (a
key, a value, a time that can't be) is raised, on every store alike. Each method that may wait
has an async twin: `aget`, `aset`, `aremember`, ….
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asok.cache.api import MISSING, TTL, Store, check_key, seconds
from asok.cache.backends import make_store
from asok.cache.lookup import Lookup
from asok.cache.noted import noted
from asok.cache.observed import observed
from asok.cache.remember import Remember
from asok.cache.serving import Serving
from asok.cache.tags import add_where_absent, check_tags, flush_tags, tokens
from asok.cache.tally import Tally
from asok.cache.trouble import Trouble
from asok.cache.twin import twin
from asok.errors import CacheError, CacheUnavailable

__all__ = ["Cache"]


class Cache:
    """A cache of values by key.

        cache = Cache(backend="file", path=".my_cache")
        cache.set("key", "value", ttl=300)
        cache.remember("api_data", ttl=60, fn=fetch_slow_api)

    `backend` is "memory" (this process), "file" (in `path`, for the processes of a machine),
    "redis" (at `url`, for all hosts), or a `Store`. `prefix` and `namespace` (letters, digits,
    `_ . -`) keep caches in the same folder or Redis apart, as does `version` (1 to 2**31), to be
    raised when the meaning of the values changes; `flush` empties only its own.
    `max_entries` and `max_bytes` bound memory and files. `timeout` (seconds) is the limit of an
    operation on Redis.

    A `ttl` is seconds or a `timedelta`; None is for ever; 0 or less is not stored. Values are
    those of JSON and datetime, date, time, timedelta, Decimal, UUID, bytes, tuple, set and
    frozenset, of exactly these types; None is one like any other. What is returned is the
    caller's own. `counters` says how often what happened.

    Raises `ConfigurationError` for options that can't be; methods raise `CacheKeyError`,
    `CacheValueError` and `CacheError` for arguments that can't be.
    """

    def __init__(
        self,
        backend: str | Store = "memory",
        *,
        path: Path | str = ".asok/cache",
        url: str | None = None,
        prefix: str = "",
        namespace: str = "",
        version: int = 1,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        timeout: float = 5.0,
    ) -> None:
        store = noted(
            make_store(
                backend,
                path=path,
                url=url,
                prefix=prefix,
                namespace=namespace,
                version=version,
                max_entries=max_entries,
                max_bytes=max_bytes,
                timeout=timeout,
            )
        )
        self.store, self.counters = observed(store)
        self._blocking = self.store.blocking
        self._fetch = self.store.get
        self._trouble = Trouble(self.counters)
        self._lookup = Lookup(self.store, self._trouble)
        self._guard = self._lookup.guard
        self._find = self._lookup.find
        remember = Remember(self.store, self._find, self._trouble, self.counters)
        self._serving = Serving(remember, self._lookup)
        self._purge = self._serving.purge
        self._tally = Tally(self.store, self.counters, self._trouble)

    def __repr__(self) -> str:
        return f"<Cache {type(self.store).__name__}>"

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or `default` where there is none."""
        if self._blocking:
            check_key(key)
        try:
            entry = self._fetch(key)
        except CacheUnavailable as error:
            self._trouble.note(error)
            entry = None
        except TypeError:  # not hashable; a dict says so only when it is asked
            check_key(key)
            raise
        # The common case comes first and calls nothing: it decides how fast a cache is.
        if entry is not None and entry.plain:
            self.counters.hits += 1
            copy = entry.copy
            return entry.value if copy is None else copy(entry.value)
        check_key(key)
        if entry is not None and self._lookup.holds(entry):
            self.counters.hits += 1
            return entry.take()
        self.counters.misses += 1
        return default

    def has(self, key: str) -> bool:
        """Whether a key has a value (None is one)."""
        check_key(key)
        entry = self._find(key)
        return entry is not None and entry.fresh

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values that there are, by key."""
        asked = list(keys)
        for key in asked:
            check_key(key)
        wanted = list(dict.fromkeys(asked))
        result = self._lookup.values(wanted)
        self.counters.hits += len(result)
        self.counters.misses += len(wanted) - len(result)
        return result

    def set(self, key: str, value: Any, ttl: TTL = None, *, tags: Sequence[str] = ()) -> bool:
        """Store a value. Returns whether it was: False for a ttl of 0 or less (which removes
        what was there), a value that is too large, or a store in trouble.
        """
        check_key(key)
        time, names = seconds(ttl), check_tags(tags)
        try:
            if time is not None and time <= 0:
                self.store.delete(key)
                return False
            known = tokens(self.store, names) if names else ()
            return self.store.set(key, value, ttl=time, tags=known)
        except CacheUnavailable as error:
            self._trouble.note(error)
            return False

    def set_many(
        self, values: Mapping[str, Any], ttl: TTL = None, *, tags: Sequence[str] = ()
    ) -> int:
        """Store several values, all or (where one can't be stored) none; returns how many were.

        A server is asked once. 0 for a store in trouble.
        """
        for key in values:
            check_key(key)
        time, names = seconds(ttl), check_tags(tags)
        if time is not None and time <= 0:
            self.forget_many(values)
            return 0
        return self._guard(
            lambda: self.store.set_many(values, ttl=time, tags=tokens(self.store, names)), 0
        )

    def add(self, key: str, value: Any, ttl: TTL = None) -> bool:
        """Store a value where there is none. Exactly one of several callers gets True."""
        check_key(key)
        time = seconds(ttl)
        if time is not None and time <= 0:
            return False
        return self._guard(lambda: add_where_absent(self.store, key, value, time), False)

    def incr(self, key: str, delta: int = 1, ttl: TTL = None) -> int:
        """Add to a counter in one step and return it; a missing one begins at 0, with `ttl`.

        With a store in trouble it counts as missing. Raises `CacheValueError` where the value
        is no integer.
        """
        check_key(key)
        if type(delta) is not int:
            raise CacheError(f"got delta={delta!r}, expected an int.")
        time = seconds(ttl)
        if time is not None and time <= 0:
            return delta
        return self._guard(lambda: self.store.incr(key, delta, ttl=time), delta)

    def decr(self, key: str, delta: int = 1, ttl: TTL = None) -> int:
        """Subtract from a counter; see `incr`."""
        return self.incr(key, -delta, ttl)

    def touch(self, key: str, ttl: TTL = None) -> bool:
        """Give a value a new time to live, from now. Returns whether there was one."""
        time = seconds(ttl)
        if not self.has(key):
            return False
        if time is not None and time <= 0:
            return self.forget(key)
        return self._guard(lambda: self.store.touch(key, time), False)

    def pull(self, key: str, default: Any = None) -> Any:
        """Return a value and remove it; exactly one of several callers gets it."""
        value = self.get(key, MISSING)
        return default if value is MISSING or not self.forget(key) else value

    def forget(self, key: str) -> bool:
        """Remove a value. One that is being computed right now will not be stored."""
        check_key(key)
        return self._purge(lambda: self.store.delete(key), False, (key,))

    def forget_many(self, keys: Iterable[str]) -> int:
        """Remove several values, asking a server once; returns how many there were."""
        asked = list(dict.fromkeys(keys))
        for key in asked:
            check_key(key)
        return self._purge(lambda: self.store.delete_many(asked), 0, asked)

    def forget_tags(self, *tags: str) -> None:
        """Remove every value that carries one of the tags, in one step a tag."""
        names = check_tags(tags)
        self._purge(lambda: flush_tags(self.store, names), None)

    def flush(self) -> None:
        """Remove all values of this cache, and nothing of another."""
        self._purge(self.store.clear, None)

    def stats(self) -> dict[str, int]:
        """How often what happened in this process: hits, misses, stale, errors, computations."""
        return self.counters.to_dict()

    def totals(self) -> dict[str, int]:
        """The same of all processes that share the store and were told to `start`, since it was
        flushed, a few seconds late. Raises `CacheUnavailable`.
        """
        return self._tally.totals()

    def start(self) -> None:
        """Tell the store from now on how it goes, for `totals`; a worker's start calls it."""
        self._tally.start()

    def close(self) -> None:
        """Give back connections and threads; the cache may be used again."""
        self._tally.stop()
        self.store.close()

    def remember(
        self,
        key: str,
        ttl: TTL = None,
        fn: Callable[[], Any] | None = None,
        *,
        stale: TTL = None,
        failsafe: TTL = None,
        early: float = 0.0,
        tags: Sequence[str] = (),
    ) -> Any:
        """Return the value of a key, or compute it by `fn()`, store it and return it.

        It is computed once for all who ask meanwhile: threads, tasks, processes and, with
        Redis, hosts. With `stale` a value is served for that long after its `ttl`, while one
        caller computes it anew in the background. With `early` (1.0 is usual) that begins before
        its end, sooner the longer `fn` takes. With `failsafe` the last good value is
        returned for that long after its `ttl` where `fn` raises; else what it raises is raised
        to all who wait. An error is never stored. `fn` may return `Computed` to set the time
        and tags by the value, or to keep it off the cache.
        """
        return self._serving.value(key, ttl, fn, stale, failsafe, early, tags)

    async def aremember(
        self,
        key: str,
        ttl: TTL = None,
        fn: Callable[[], Awaitable[Any] | Any] | None = None,
        *,
        stale: TTL = None,
        failsafe: TTL = None,
        early: float = 0.0,
        tags: Sequence[str] = (),
    ) -> Any:
        """`remember` for coroutines; `fn` may be a coroutine function, or runs in a thread."""
        return await self._serving.value_async(key, ttl, fn, stale, failsafe, early, tags)

    aget = twin(get)
    ahas = twin(has)
    aget_many = twin(get_many)
    aset = twin(set)
    aset_many = twin(set_many)
    aadd = twin(add)
    aincr = twin(incr)
    adecr = twin(decr)
    atouch = twin(touch)
    apull = twin(pull)
    aforget = twin(forget)
    aforget_many = twin(forget_many)
    aforget_tags = twin(forget_tags)
    aflush = twin(flush)
