"""What `remember` answers with: a fresh value, a stale one, a computed one, or the last good one.

    fresh                       returned; near its end, by `early`, one computes it anew in the
                                background
    late, within `stale`        returned; one of those who ask computes it anew in the background
    late, within `failsafe`     computed by who asks; where that fails, the old value is returned
    otherwise                   computed by who asks

Every question counts as exactly one of hits, stale and misses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from asok.cache.api import TTL, Entry, check_key
from asok.cache.early import is_due
from asok.cache.lookup import Lookup
from asok.cache.owed import Owed
from asok.cache.refresh import Refreshes
from asok.cache.remember import Plan, Remember
from asok.cache.remember_async import AsyncRemember
from asok.cache.threads import hop
from asok.errors import CacheUnavailable

__all__ = ["Serving"]

T = TypeVar("T")


class Serving:
    """The answers of one region, for threads and for tasks."""

    def __init__(self, remember: Remember, lookup: Lookup) -> None:
        self._remember = remember
        self._find = lookup.find
        self._trouble = remember.trouble
        self._owed = Owed(remember.store.clear)
        self._blocking = remember.store.blocking
        self._counters = remember.counters
        self._refreshes = Refreshes(remember)
        self._async = AsyncRemember(remember, self._refreshes)

    def value(
        self,
        key: str,
        ttl: TTL,
        fn: object,
        stale: TTL = None,
        failsafe: TTL = None,
        early: float = 0.0,
        tags: Sequence[str] = (),
    ) -> Any:
        """For a thread; see `Cache.remember`."""
        check_key(key)
        entry = self._find(key)
        if entry is not None and entry.fresh:
            self._counters.hits += 1
            if early and is_due(entry, early):
                plan = Plan.make(key, ttl, fn, stale, failsafe, early, tags)
                self._refreshes.start(key, plan, entry.left)
            return entry.take()
        plan = Plan.make(key, ttl, fn, stale, failsafe, early, tags)
        if entry is not None:
            if entry.late < plan.stale:
                self._refreshes.start(key, plan)
                return self._late(entry)
            if entry.late < plan.failsafe:
                if not self._refreshes.resting(key):
                    with self._refreshes.rescue(key):
                        return self._computed(self._remember.value(key, plan))
                return self._late(entry)
        self._counters.misses += 1
        return self._remember.value(key, plan)

    async def value_async(
        self,
        key: str,
        ttl: TTL,
        fn: object,
        stale: TTL = None,
        failsafe: TTL = None,
        early: float = 0.0,
        tags: Sequence[str] = (),
    ) -> Any:
        """For a task; see `Cache.aremember`."""
        check_key(key)
        entry = await hop(self._blocking, self._find, key)
        if entry is not None and entry.fresh:
            self._counters.hits += 1
            if early and is_due(entry, early):
                plan = Plan.make(key, ttl, fn, stale, failsafe, early, tags)
                self._async.refresh(key, plan, entry.left)
            return entry.take()
        plan = Plan.make(key, ttl, fn, stale, failsafe, early, tags)
        if entry is not None:
            if entry.late < plan.stale:
                self._async.refresh(key, plan)
                return self._late(entry)
            if entry.late < plan.failsafe:
                if not self._refreshes.resting(key):
                    with self._refreshes.rescue(key):
                        return self._computed(await self._async.value(key, plan))
                return self._late(entry)
        self._counters.misses += 1
        return await self._async.value(key, plan)

    def purge(self, call: Callable[[], T], otherwise: T, keys: Sequence[str] | None = None) -> T:
        """Return `call()`, which removes `keys` (None: whatever it may be).

        Who asks after that gets nothing that was begun before, from a waiting thread either.
        Where the store is in trouble, it is done when that is over.
        """
        try:
            return call()
        except CacheUnavailable as error:
            self._trouble.note(error)
            self._owed.add(call)
            return otherwise
        finally:
            self._remember.flight.drop(keys)

    def _late(self, entry: Entry) -> Any:
        self._counters.stale += 1
        return entry.take()

    def _computed(self, value: Any) -> Any:
        self._counters.misses += 1
        return value
