"""Computing what is not stored: once for all threads, tasks, processes and hosts that ask.

One caller of this process leads (SingleFlight), the others wait for its result; the leader
takes the key's lease in the store, or waits for the one who has it.

The lease is what a purge ends: a value whose computation began before is not stored, and
nothing is ever stored without one. A killed holder loses it (see the stores). Nobody waits
longer than `PATIENCE`: then the lease of a holder that hangs is taken away.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic, perf_counter, sleep
from typing import Any, Final, NamedTuple

from asok.cache.api import MISSING, TTL, Computed, Entry, Lease, Store, Tags, grace, seconds
from asok.cache.counters import Counters
from asok.cache.early import check_early
from asok.cache.isolate import isolate
from asok.cache.tags import check_tags, tokens
from asok.cache.trouble import Trouble
from asok.errors import CacheError, CacheUnavailable
from asok.forked import renew_in_children
from asok.single_flight import SingleFlight

__all__ = ["FIRST_LOOK", "LONGEST_LOOK", "PATIENCE", "Outcome", "Plan", "Remember"]

#: Seconds that a caller waits for somebody else's computation.
PATIENCE: Final = 30.0
#: Seconds between two looks for another process's result: the first and the longest.
FIRST_LOOK: Final = 0.005
LONGEST_LOOK: Final = 0.05

#: What this thread or task is computing, to notice a computation that waits for itself.
_computing: ContextVar[frozenset[tuple[int, str]]] = ContextVar(
    "asok.computing", default=frozenset()
)


class Plan(NamedTuple):
    """How a missing value is computed and kept; times in seconds."""

    fn: Callable[[], Any]
    ttl: float | None
    stale: float
    failsafe: float
    early: float
    tags: Sequence[str]

    @property
    def grace(self) -> float:
        """For how long after its time to live the value is kept."""
        return max(self.stale, self.failsafe)

    @classmethod
    def make(
        cls,
        key: str,
        ttl: TTL,
        fn: object,
        stale: TTL,
        failsafe: TTL,
        early: float,
        tags: Sequence[str],
    ) -> Plan:
        """From the arguments of `remember`. Raises `CacheError` for those that can't be."""
        if not callable(fn):
            raise CacheError(
                f"remember({key!r}) got fn={fn!r}, expected a function without arguments.",
                fix="For example cache.remember('key', ttl=60, fn=lambda: fetch(1)).",
            )
        times = seconds(ttl), grace(stale), grace(failsafe), check_early(early)
        return cls(fn, *times, check_tags(tags))


class Outcome(NamedTuple):
    """A computed value: `entry` for everybody who waits, or `own` for the one who computed."""

    entry: Entry | None
    own: Any = None

    def take(self) -> Any:
        """The value for the one who computed it."""
        return self.own if self.entry is None else self.entry.take()


class Remember:
    """The computations of one region. `find` returns a usable entry, also one in its grace."""

    def __init__(
        self,
        store: Store,
        find: Callable[[str], Entry | None],
        trouble: Trouble,
        counters: Counters,
    ) -> None:
        self.store = store
        self.find = find
        self.trouble = trouble
        self.counters = counters
        self.flight: SingleFlight[Entry | None]
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """After a fork: the computations that were under way go on in the parent only."""
        self.flight = SingleFlight()

    def value(self, key: str, plan: Plan) -> Any:
        """Compute the value of a key that has none, or wait for who does."""
        self.check_not_waiting_for_itself(key)
        if _on_event_loop():
            # Waiting here could be for a task of this very loop, which could then never end.
            return self._alone(key, plan).take()
        own: list[Outcome] = []

        def lead() -> Entry | None:
            lease, entry = self._turn(key)
            if entry is not None:
                return entry
            outcome = self.compute(key, plan, lease)
            own.append(outcome)
            return outcome.entry

        shared = self.flight.run(key, lead, timeout=PATIENCE)
        if own:
            return own[0].take()
        # Computed by another, and not for sharing: this caller needs its own.
        return self._alone(key, plan).take() if shared is None else shared.take()

    def _alone(self, key: str, plan: Plan) -> Outcome:
        return self.compute(key, plan, self.attempt(key))

    def check_not_waiting_for_itself(self, key: str) -> None:
        """Raise `CacheError` where this key is being computed by the very caller."""
        if (id(self), key) in _computing.get():
            raise CacheError(
                f"the function that computes {key!r} asks the cache for {key!r} itself.",
                fix="Compute it without the cache there, or give one of them another key.",
            )

    def attempt(self, key: str) -> Lease | None:
        """The key's lease, or None where somebody else holds it or the store is in trouble."""
        try:
            return self.store.lease(key)
        except CacheUnavailable as error:
            self.trouble.note(error)
            return None

    def _turn(self, key: str) -> tuple[Lease | None, Entry | None]:
        """Wait until the key's lease is ours, or its value is there."""
        end, pause = monotonic() + PATIENCE, FIRST_LOOK
        while True:
            try:
                lease = self.store.lease(key)
            except CacheUnavailable as error:
                self.trouble.note(error)
                return None, None
            # Looked at with the lease in hand: who had it before us has stored by now.
            entry = self.find(key)
            if entry is not None and entry.fresh:
                if lease is not None:
                    lease.release()
                return None, entry
            if lease is not None:
                return lease, None
            if monotonic() >= end:
                return self.take_over(key), None
            sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    def take_over(self, key: str) -> Lease | None:
        """Take the lease away from a holder that hangs; what it computes is not stored."""
        try:
            self.store.delete(key)
            return self.store.lease(key)
        except CacheUnavailable as error:
            self.trouble.note(error)
            return None

    def compute(self, key: str, plan: Plan, lease: Lease | None) -> Outcome:
        """Compute, store (with a lease) and give the lease back."""
        try:
            tags = self.tokens_of(plan)
            began = perf_counter()
            with self.computing(key):
                result = plan.fn()
            cost = perf_counter() - began
            if inspect.iscoroutine(result):
                result.close()
                raise CacheError(
                    f"the function that computes {key!r} is a coroutine function.",
                    fix="Use `await cache.aremember(...)`.",
                )
            return self.finish(key, plan, tags, lease, result, cost)
        finally:
            if lease is not None:
                lease.release()

    @contextmanager
    def computing(self, key: str) -> Generator[None]:
        """Know that this thread or task computes `key`."""
        self.counters.computations += 1
        token = _computing.set(_computing.get() | {(id(self), key)})
        try:
            yield
        finally:
            _computing.reset(token)

    def tokens_of(self, plan: Plan) -> Tags | None:
        """The tags as they are before the computation; None where the store is in trouble."""
        try:
            return tokens(self.store, plan.tags)
        except CacheUnavailable as error:
            self.trouble.note(error)
            return None

    def finish(
        self,
        key: str,
        plan: Plan,
        tags: Tags | None,
        lease: Lease | None,
        result: Any,
        cost: float,
    ) -> Outcome:
        """Store a result, which took `cost` seconds, and return it.

        Raises `CacheValueError` for what can't be stored.

        Without a lease nobody would notice a purge since, so that is not stored: whoever holds
        it will store, or the store is in trouble anyway.
        """
        ttl = plan.ttl
        if isinstance(result, Computed):
            if not result.store:
                return Outcome(None, result.value)
            if result.ttl is not MISSING:
                ttl = seconds(result.ttl)
            if result.tags is not None:
                tags = self.tokens_of(plan._replace(tags=check_tags(result.tags)))
            result = result.value
        value, copy, _ = isolate(result)
        if lease is not None and tags is not None and (ttl is None or ttl > 0):
            kept = cost if plan.early and ttl is not None else 0.0
            try:
                self.store.set(
                    key, result, ttl=ttl, stale=plan.grace, tags=tags, cost=kept, lease=lease
                )
            except CacheUnavailable as error:
                self.trouble.note(error)
        return Outcome(Entry(value, copy))


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
