"""Pages ready to be sent, by path: what the outermost callable asks before anything else."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from asok.pages.decision import State, decide
from asok.pages.front import Front
from asok.pages.prepared import Prepared
from asok.pages.store import PageStore
from asok.pages.stored import StoredPage

__all__ = ["Shelf"]


@dataclass(slots=True)
class _Entry:
    prepared: Prepared
    version: int
    fresh_until: float


class Shelf:
    """Prepared pages of one worker, at most `memory` bytes of them.

    `prepare` is called once for each stored state of a page.
    """

    def __init__(
        self,
        store: PageStore,
        prepare: Callable[[StoredPage], Prepared],
        *,
        memory: int = 64 * 1024 * 1024,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._prepare = prepare
        self._clock = clock
        self._front: Front[_Entry] = Front(memory, _size)

    def get(self, path: str, now: float) -> Prepared | None:
        """Return the page of `path` if it is known and fresh at `now`: one dictionary look-up.

        None means: ask the regenerator, and `put` what it answers.
        """
        entry = self._front.get(path)
        if entry is None or now >= entry.fresh_until:
            return None
        version = self._store.version()
        if entry.version == version:
            return entry.prepared
        if not self._store.near(path):
            return None
        page, note = self._store.look(path)
        if page is not entry.prepared.page:
            return None
        if decide(page, now, note=note).state is not State.FRESH:
            return None
        entry.version = version
        return entry.prepared

    def put(self, page: StoredPage) -> Prepared:
        """Return `page` prepared, and keep it for `get`."""
        entry = self._front.get(page.path)
        if entry is not None and entry.prepared.page is page:
            return entry.prepared
        prepared = self._prepare(page)
        now = self._clock()
        left = decide(page, now).left
        until = math.inf if left is None else now + left
        if page.expire is not None:
            until = min(until, page.rendered_at + page.expire)
        # An unknown version: the first `get` looks whether the store still holds this page.
        self._front.put(page.path, _Entry(prepared, -1, until))
        return prepared


def _size(entry: _Entry) -> int:
    return 2000 + entry.prepared.page.holed.size + entry.prepared.size
