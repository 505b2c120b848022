"""How the contracts ask a store: what it holds, from many threads, and until something is so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from asok.cache.api import Store

__all__ = ["Counted", "eventually", "together", "value_of"]

T = TypeVar("T")


def together(count: int, call: Callable[[], T]) -> list[T]:
    """The results of `count` calls from as many threads."""
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(count)]]


def value_of(store: Store, key: str) -> Any:
    """The fresh value of a key, or "nothing"."""
    entry = store.get(key)
    return entry.take() if entry is not None and entry.fresh else "nothing"


def eventually(ready: Callable[[], bool], *, what: str = "it") -> None:
    """Return as soon as `ready()` is true; fail after a long time."""
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.005)


class Counted:
    """A function that says how often it was called; `gate` holds it up where it is cleared."""

    def __init__(self, result: Any = "computed") -> None:
        self.calls = 0
        self.result = result
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        with self._lock:
            self.calls += 1
        self.entered.set()
        assert self.gate.wait(30)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result
