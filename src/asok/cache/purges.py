"""Removals in a cache of this process's memory, told to the other workers of the site.

Each worker has values of its own there; what one removes (a key, a tag, everything), the others
may have too. They hear of it within half a second. A store that processes share needs none of it.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from asok.cache.api import Store
from asok.cache.memory import MemoryStore
from asok.notices import MISSED, Notices

__all__ = ["share_purges"]

log = logging.getLogger("asok.cache")

_TOPIC: Final = "cache.purged"
#: This program among those that the workers were started from; each of them adds its number.
_TOKEN: Final = secrets.token_hex(6)


def _sender() -> str:
    return f"{_TOKEN}.{os.getpid()}"


def share_purges(store: Store, notices: Notices) -> Callable[[], None]:
    """Tell and hear of removals from now on; returns the call that ends it."""
    if store.blocking or not hasattr(store, "tell"):
        return _nothing
    memory = cast("MemoryStore", store)  # or one in front of it

    def told(keys: Sequence[str] | None) -> None:
        try:
            message = {"keys": None if keys is None else list(keys), "by": _sender()}
            notices.publish(_TOPIC, message)
        except OSError:  # a full disk: it is removed here all the same
            log.exception("the other workers could not be told what was removed from the cache")

    def hear(message: dict[str, Any]) -> None:
        if message["by"] != _sender():
            memory.remove(message["keys"])

    memory.tell(told)

    def missed(_: dict[str, Any]) -> None:  # anything may have been removed then
        memory.remove(None)

    ends = notices.subscribe(_TOPIC, hear), notices.subscribe(MISSED, missed)

    def end() -> None:
        memory.tell(None)
        for one in ends:
            one()

    return end


def _nothing() -> None:
    pass
