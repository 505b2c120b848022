"""One render for everybody who sees the same."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

__all__ = ["Memo"]


class Memo:
    """What was rendered for one event, by class, slot and state. Safe for threads.

    A class that asked for something of its visitor (session, identity, CSRF value, a nested
    component) is rendered for each one.
    """

    __slots__ = ("__weakref__", "_locks", "_pages", "_personal")

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._pages: dict[tuple[str, str, bytes], str] = {}
        self._personal: set[str] = set()

    def html(
        self, name: str, slot: str, state: bytes, render: Callable[[], tuple[str, bool]]
    ) -> str:
        """Return the HTML of that state of class `name`; `render` makes it, and says whether
        it is anybody's."""
        if name in self._personal:
            return render()[0]
        key = (name, slot, state)
        with self._locks[name]:
            found = self._pages.get(key)
            if found is None:
                found, shared = render()
                if shared:
                    self._pages[key] = found
                else:
                    self._personal.add(name)
            return found
