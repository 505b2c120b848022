"""A store and counters that tell who observes the request: those of the development server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from asok import observing
from asok.cache.api import RESERVED, Entry, Store
from asok.cache.counters import Counters

__all__ = ["observed"]


def observed(store: Store) -> tuple[Store, Counters]:
    """Return `store` and new counters, or where somebody wants to be told, ones that tell."""
    if not observing.wanted():
        return store, Counters()
    return cast("Store", _Telling(store)), _TellingCounters()


class _Telling:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, key: str) -> Entry | None:
        _ask(key)
        return self._store.get(key)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        if wanted := [key for key in keys if not key.startswith(RESERVED)]:
            _ask(", ".join(wanted))
        return self._store.get_many(keys)


class _TellingCounters(Counters):
    __slots__ = ()

    def __setattr__(self, name: str, value: int) -> None:
        before = getattr(self, name, 0)
        object.__setattr__(self, name, value)
        observer = observing.current()
        if observer is not None and value > before:
            observer.counted(name, value - before)


def _ask(key: str) -> None:
    observer = observing.current()
    if observer is not None:
        observer.asked(key)
