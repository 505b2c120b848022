"""What all processes that share a store counted: sums kept in the store itself.

Each process adds what it counted since the last time, every few seconds and not with each
question, so counting costs a get nothing. Flushing the cache sets the sums to 0.
"""

from __future__ import annotations

import threading
from typing import Final

from asok.cache.api import RESERVED, Store
from asok.cache.counters import Counters
from asok.cache.trouble import Trouble
from asok.errors import CacheUnavailable

__all__ = ["Tally"]

#: Seconds between two additions.
_PAUSE: Final = 2.0
#: Begins the keys of the sums. No tag has such a key, as none begins with `RESERVED`.
_SUM: Final = RESERVED + RESERVED


class Tally:
    """Adds the counters of one process to the sums in `store`, while it is started."""

    def __init__(self, store: Store, counters: Counters, trouble: Trouble) -> None:
        self.pause = _PAUSE
        self._store = store
        self._counters = counters
        self._trouble = trouble
        self._told = Counters().to_dict()
        self._enough = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to add, where others can see it: not for a store of this process alone."""
        if self._thread is None and self._store.blocking:
            self._enough.clear()
            self._thread = threading.Thread(target=self._run, name="asok-cache-tally", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Add what is left, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._enough.set()
            thread.join()
            self.add()

    def _run(self) -> None:
        while not self._enough.wait(self.pause):
            self.add()

    def add(self) -> None:
        """Add what was counted since the last time; what a store in trouble refuses, later."""
        try:
            for name, count in self._counters.to_dict().items():
                if count > self._told[name]:
                    self._store.incr(_SUM + name, count - self._told[name], ttl=None)
                    self._told[name] = count
        except CacheUnavailable as error:
            self._trouble.note(error)

    def totals(self) -> dict[str, int]:
        """The sums of all processes. Raises `CacheUnavailable`."""
        if not self._store.blocking:
            return self._counters.to_dict()
        found = self._store.get_many([_SUM + name for name in self._told])
        values = {key.removeprefix(_SUM): entry.take() for key, entry in found.items()}
        return {name: values.get(name, 0) for name in self._told}
