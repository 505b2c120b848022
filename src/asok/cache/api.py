"""The contract of the cache: keys, times to live, entries, and the port that a store implements.

A store keeps entries; everything clever (one computation per key, stale values, tags, what
happens in trouble) is in the region on top of it, once.

Times to live mean the same everywhere: seconds as an int or float, or a `timedelta`; None is
for ever; 0 or less is "not stored" (and removes what was stored); a bool or NaN is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from asok.errors import CacheError, CacheKeyError

__all__ = [
    "KEY_LIMIT",
    "MISSING",
    "RESERVED",
    "TTL",
    "Computed",
    "Entry",
    "Lease",
    "NoValue",
    "Store",
    "Tags",
    "Usage",
    "check_key",
    "grace",
    "seconds",
]

TTL = float | timedelta | None
#: The tags of an entry, each with the token that the tag had when the value was computed.
Tags = tuple[tuple[str, str], ...]

#: Bytes of UTF-8 that a key may have.
KEY_LIMIT: Final = 4096
#: Keys that begin with this are the region's own.
RESERVED: Final = "\0asok:"
#: Longer than this is for ever: 100 years, in seconds.
_FOR_EVER: Final = 100 * 365 * 86400.0


class NoValue(Enum):
    """The type of `MISSING`, which tells "nothing is stored" from a stored None."""

    MISSING = "no value"


MISSING: Final = NoValue.MISSING


class Entry:
    """What a store found: `value` is its own unless `copy` is None; use `take()`.

    `plain` is True for an entry that is fresh, has no tags and may be shown to anybody: the
    region returns it without another question. `fresh` is False in the time of grace after
    the time to live, where only `remember(..., stale=, failsafe=)` may use it; `late` is how
    many seconds ago that time ended. `cost` is how many seconds the value took to compute, where
    that was stored with it; then `left` are those until its time to live ends.
    """

    __slots__ = ("copy", "cost", "fresh", "late", "left", "plain", "tags", "value")

    def __init__(
        self,
        value: Any,
        copy: Callable[[Any], Any] | None = None,
        *,
        late: float | None = None,
        tags: Tags = (),
        cost: float = 0.0,
        left: float = math.inf,
    ) -> None:
        self.value = value
        self.copy = copy
        self.cost = cost
        self.left = left
        self.fresh = fresh = late is None
        self.late = late or 0.0
        self.tags = tags
        self.plain = fresh and not tags

    def take(self) -> Any:
        """Return the value for a caller, who may change it."""
        return self.value if self.copy is None else self.copy(self.value)


class Computed:
    """What the function of `remember` may return to decide more than the value.

    `ttl` and `tags` take the place of the call's. With `store=False` the value (of any type)
    is neither stored nor shared with those who wait for it; each of them computes its own.
    """

    __slots__ = ("store", "tags", "ttl", "value")

    def __init__(
        self,
        value: Any,
        *,
        ttl: TTL | NoValue = MISSING,
        tags: Sequence[str] | None = None,
        store: bool = True,
    ) -> None:
        self.value = value
        self.ttl = ttl
        self.tags = tags
        self.store = store


class Usage(NamedTuple):
    """How much a store holds: entries (the tokens of tags too) and their bytes, about."""

    entries: int
    bytes: int


class Lease(Protocol):
    """The right to compute a key's value, held by one computation over all processes.

    A store ends it when the key is set, deleted or cleared, and when its holder dies.
    """

    def release(self) -> None:
        """Give it back; idempotent, and never raises."""
        ...


class Store(Protocol):
    """Where entries are kept. Every method may raise `CacheUnavailable`, none anything else,
    apart from `CacheValueError` for a value that would not come back as it went in.

    Keys were checked by `check_key`; `ttl` is None or positive seconds, `stale` is the time of
    grace after it in seconds. An entry in its grace counts as absent for `add`, `incr` and
    `touch`. Values come back equal and of the same types, and never alias what was given.
    """

    #: Whether a call may wait for a disk or a network: coroutines make it in a thread.
    blocking: bool

    def get(self, key: str) -> Entry | None:
        """Return the entry, in its time of grace too (`fresh` is False then)."""
        ...

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """Return the entries that exist."""
        ...

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
        """Store a value and end the key's lease.

        `cost` (seconds) is kept beside it. With `lease` only if that is still held, which fails
        after the key was set, deleted or cleared since. Returns whether it was stored: False
        also for a value that is too large, whose key is empty then.
        """
        ...

    def set_many(self, values: Mapping[str, Any], *, ttl: float | None, tags: Tags = ()) -> int:
        """Store several values as `set` does, asking a server once; returns how many were.

        None is stored where one is refused with `CacheValueError`.
        """
        ...

    def add(self, key: str, value: Any, *, ttl: float | None, tags: Tags = ()) -> bool:
        """Store a value where there is none; exactly one of several callers gets True."""
        ...

    def incr(self, key: str, delta: int, *, ttl: float | None) -> int:
        """Add to an integer in one step and return the sum; a missing one counts as 0.

        `ttl` is for a new entry. Raises `CacheValueError` where the value is no plain integer
        (or has tags or a grace), or the sum leaves 64 bits.
        """
        ...

    def touch(self, key: str, ttl: float | None) -> bool:
        """Give an entry a new time to live, from now. Returns whether there was one."""
        ...

    def delete(self, key: str) -> bool:
        """Remove an entry and end the key's lease. Returns whether there was one."""
        ...

    def delete_many(self, keys: Sequence[str]) -> int:
        """Remove several entries as `delete` does, asking a server once; how many there were."""
        ...

    def clear(self) -> None:
        """Remove all entries and end all leases of this store, and nothing else."""
        ...

    def lease(self, key: str) -> Lease | None:
        """Return the lease of a key, or None at once where somebody else holds it."""
        ...

    def usage(self) -> Usage:
        """Return how much is stored. Looks at everything, so it is for people, not for pages."""
        ...

    def close(self) -> None:
        """Give back connections; the store may be used again."""
        ...


def check_key(key: object) -> None:
    """Raise `CacheKeyError` for what is no key: any text that is not empty is one."""
    if not isinstance(key, str) or not key:
        raise CacheKeyError(
            f"got {key!r} as a cache key, expected a str that is not empty.",
            fix="Build the key as text, for example f'user:{user.id}'.",
        )
    # At most four bytes a character.
    if len(key) * 4 > KEY_LIMIT and len(key.encode("utf-8", "surrogatepass")) > KEY_LIMIT:
        raise CacheKeyError(
            f"the cache key {key[:40]!r}… has {len(key)} characters, expected at most "
            f"{KEY_LIMIT} bytes of UTF-8.",
            fix="Put a digest of the long part into the key: hashlib.blake2b(…).hexdigest().",
        )
    if key.startswith(RESERVED):
        raise CacheKeyError(
            f"the cache key {key!r} begins with {RESERVED!r}, which the cache keeps for itself.",
            fix="Use another first character.",
        )


def seconds(ttl: TTL) -> float | None:
    """Return a time to live in seconds, None for for ever. Raises `CacheError` for others."""
    if ttl is None:
        return None
    if type(ttl) is int:  # the usual one
        return None if ttl > _FOR_EVER else float(ttl)
    if isinstance(ttl, timedelta):
        value = ttl.total_seconds()
    elif isinstance(ttl, bool) or not isinstance(ttl, int | float) or math.isnan(ttl):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CacheError(
            f"got {ttl!r} as a time to live, expected seconds, a timedelta, or None for ever.",
            fix="For example ttl=300.",
        )
    else:
        value = ttl
    return None if value > _FOR_EVER else float(value)


def grace(stale: TTL) -> float:
    """Return a time of grace in seconds; None is none. Raises `CacheError` for others."""
    if stale is None:
        return 0.0
    value = seconds(stale)
    return _FOR_EVER if value is None else max(0.0, value)
