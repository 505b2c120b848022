"""A store that tells a build when it is asked: what it answers may be of any age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from asok import dependencies
from asok.cache.api import Entry, Store

__all__ = ["noted"]


def noted(store: Store) -> Store:
    """Return `store`, or while a site is being built one that notes every reading of it."""
    if dependencies.current is None:
        return store
    return cast("Store", _Noted(store))


class _Noted:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, key: str) -> Entry | None:
        dependencies.data()
        return self._store.get(key)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        dependencies.data()
        return self._store.get_many(keys)
