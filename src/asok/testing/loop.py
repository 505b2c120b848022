"""The loop of all driven pages: a thread of its own, so that tests may be sync or async."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

__all__ = ["run", "start"]

T = TypeVar("T")

#: Seconds that one action may take; above every limit of the components themselves.
PATIENCE: Final = 120.0


class _Loop:
    """One event loop in a thread that ends with the process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.ended = False
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="asok.testing", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def close(self) -> None:
        """Stop the loop after what it still does; in a fork it runs nowhere."""
        if self.pid == os.getpid() and not self.ended:
            self.ended = True
            asyncio.run_coroutine_threadsafe(_finish(), self.loop).result(5)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(5)
            self.loop.close()


async def _finish() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=1)


_running: _Loop | None = None
_lock = threading.Lock()


def _current() -> asyncio.AbstractEventLoop:
    global _running
    with _lock:
        if _running is None or _running.pid != os.getpid():
            _running = _Loop()
        return _running.loop


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` there and wait for it, with the context variables of the caller.

    What was handed to the loop before comes first.
    """
    return asyncio.run_coroutine_threadsafe(work, _current()).result(PATIENCE)


def start(work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Run `work()` there and wait for nothing; when the process ends, nothing is done."""
    if _running is not None and not _running.ended and _running.pid == os.getpid():
        asyncio.run_coroutine_threadsafe(work(), _running.loop)
