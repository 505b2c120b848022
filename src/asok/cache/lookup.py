"""Asking a store, whatever happens to it: trouble is noted and counts as finding nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from asok.cache.api import Entry, Store
from asok.cache.tags import tags_hold
from asok.cache.trouble import Trouble
from asok.errors import CacheUnavailable

__all__ = ["Lookup"]

T = TypeVar("T")


class Lookup:
    """The questions that a region asks of its store."""

    def __init__(self, store: Store, trouble: Trouble) -> None:
        self._store = store
        self._trouble = trouble

    def guard(self, call: Callable[[], T], otherwise: T) -> T:
        """Return `call()`, or `otherwise` where the store is in trouble."""
        try:
            return call()
        except CacheUnavailable as error:
            self._trouble.note(error)
            return otherwise

    def find(self, key: str) -> Entry | None:
        """The entry of a key, in its grace too; None where a tag of it was flushed."""
        try:
            entry = self._store.get(key)
            if entry is not None and entry.tags and not all(tags_hold(self._store, entry.tags)):
                return None
            return entry
        except CacheUnavailable as error:
            self._trouble.note(error)
            return None

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is within its time to live, and no tag of it was flushed."""
        return entry.plain or (
            entry.fresh and self.guard(lambda: all(tags_hold(self._store, entry.tags)), False)
        )

    def values(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values of those keys that have one, as `holds` says; tags are asked for once."""

        def ask() -> dict[str, Any]:
            found: Mapping[str, Entry] = self._store.get_many(keys)
            fresh = [(key, entry) for key, entry in found.items() if entry.fresh]
            hold = tags_hold(self._store, *(entry.tags for _, entry in fresh))
            return {key: entry.take() for (key, entry), yes in zip(fresh, hold, strict=True) if yes}

        nothing: dict[str, Any] = {}
        return self.guard(ask, nothing)
