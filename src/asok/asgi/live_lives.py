"""The states of pages that ask by HTTP: let live on while somebody asks, as an open socket does."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from asok.live import Conversation, Live

__all__ = ["TOUCH_EVERY", "LiveLives"]

log = logging.getLogger("asok.live")

#: Seconds between two signs of life of a state, where it lives long enough.
TOUCH_EVERY: Final = 300.0
#: Components that are remembered to have been prolonged; the first of more is prolonged again.
_REMEMBERED: Final = 65_536


class LiveLives:
    """Prolongs what a conversation has joined: each state once in a while, not at each request.

    `clock` is one of seconds that never goes back.
    """

    def __init__(self, live: Live, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._clock = clock
        self._every = min(TOUCH_EVERY, live.limits.state_seconds / 4)
        #: When each was prolonged, by its session and identity; the oldest first.
        self._done: OrderedDict[tuple[str, str], float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._done)

    async def prolong(self, conversation: Conversation) -> None:
        """Let the states live for their whole time from now, unless they were let lately."""
        now, owner = self._clock(), conversation.owner
        while self._done and next(iter(self._done.values())) <= now - self._every:
            self._done.popitem(last=False)
        due = [cid for cid in conversation.cids if (owner, cid) not in self._done]
        if not due:
            return
        for cid in due:
            self._done[owner, cid] = now
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        try:
            await self._live.run_sync(partial(self._live.store.touch, owner, due))
        except Exception:
            log.exception("the states of a page could not be prolonged")
            for cid in due:  # tried again by the next request
                self._done.pop((owner, cid), None)
