"""The application's cache: set once by the composition root, used from anywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asok.cache.purges import share_purges
from asok.cache.region import Cache
from asok.notices import Notices

__all__ = ["cache", "configure", "default"]

_configured: Cache | None = None
_end: Callable[[], None] | None = None
_lock = threading.Lock()


def configure(region: Cache | None, *, notices: Notices | None = None) -> None:
    """Set the application's cache; None takes the setting back.

    By `notices` the workers of the site tell each other what is removed, where each of them has
    a cache of its own (backend "memory").
    """
    global _configured, _end
    with _lock:
        if _end is not None:
            _end()
        _configured = region
        _end = None
        if region is not None and notices is not None:
            _end = share_purges(region.store, notices)


def default() -> Cache:
    """Return the application's cache; one in memory where no application set one."""
    global _configured
    with _lock:
        if _configured is None:
            _configured = Cache()
        return _configured


class _Default:
    """`asok.cache.cache`: the cache that is configured at the moment it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(default(), name)

    def __repr__(self) -> str:
        return f"<the application's cache: {default()!r}>"


if TYPE_CHECKING:
    cache: Cache
else:
    cache = _Default()
