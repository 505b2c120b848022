"""A cache of one dictionary that keeps text, so that nothing can be shared by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from asok.cache.values import dumps, loads


class Region:
    """What cached queries need of a cache, and a record of what was asked."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.ttls: dict[str, float | None] = {}
        self.computed = 0

    def get(self, key: str) -> Any:
        text = self.stored.get(key)
        return None if text is None else loads(text)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        return {key: self.get(key) for key in keys if key in self.stored}

    def has(self, key: str) -> bool:
        return key in self.stored

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        self.stored[key] = dumps(value)
        self.ttls[key] = ttl

    def remember(
        self,
        key: str,
        ttl: float | None,
        fn: Callable[[], Any],
        *,
        stale: float | None = None,
    ) -> Any:
        if key not in self.stored:
            self.computed += 1
            self.set(key, fn(), ttl)
        return self.get(key)
