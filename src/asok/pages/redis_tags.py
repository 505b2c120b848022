"""Telling Redis which tags were invalidated, also later, where it does not answer at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from asok.errors import PagesUnavailable
from asok.pages.redis_watch import microseconds, seconds
from asok.pages.tags import Mark

__all__ = ["MAX_TAGS", "RedisTags", "encoded"]

#: How many tags are remembered; of older ones only that there were some.
MAX_TAGS: Final = 10_000
_BATCH: Final = 500


class RedisTags:
    """The tags of one server. `call(script, *arguments)` runs a script; raises `OSError`."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._late: dict[str, bool] = {}
        self._too_many = False

    def invalidate(self, tag: str, *, block: bool) -> Mark:
        """Invalidate `tag` now, and return the moment.

        Raises `PagesUnavailable` where Redis does not answer; `tell_late` does it then.
        """
        try:
            at = seconds(self._call("INVALIDATE_TAG", encoded(tag), int(block), MAX_TAGS))
        except PagesUnavailable:
            self._late[tag] = block or self._late.get(tag, False)
            if len(self._late) > MAX_TAGS:
                self._too_many = True
                self._late.clear()
            raise
        return Mark(at, at if block else 0.0)

    def tell_late(self) -> None:
        """Tell Redis what it did not hear; other workers learn it then. Raises `OSError`."""
        if self._too_many:
            # Which tags they were is forgotten: whatever is older than now is stale.
            self.restore(0.0, Mark(time.time()), ())
            self._too_many = False
        for tag, block in list(self._late.items()):
            self.invalidate(tag, block=block)
            if self._late.get(tag) == block:
                del self._late[tag]

    def restore(self, latest: float, floor: Mark, tags: Iterable[tuple[str, Mark]]) -> None:
        """Give Redis back what it lost: the later moment of each tag counts. Raises `OSError`."""
        head = [int(latest), *map(microseconds, floor)]
        arguments: list[Any] = []
        for tag, mark in tags:
            arguments += [encoded(tag), *map(microseconds, mark)]
            if len(arguments) >= 3 * _BATCH:
                self._call("RESTORE", *head, *arguments)
                arguments = []
        self._call("RESTORE", *head, *arguments)


def encoded(tag: str) -> bytes:
    """Return a tag as Redis has it."""
    return tag.encode("utf-8", "surrogatepass")
