"""The threads in which coroutines ask a store that may have to wait.

They are the cache's own: the event loop has few (four more than processors), and a disk or a
Redis that hangs would hold up whatever else uses those. No store's call waits for another one
here, so they can't wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from asok.forked import renew_in_children

__all__ = ["hop", "in_thread", "later"]

P = ParamSpec("P")
T = TypeVar("T")

#: As many as a process has connections to Redis. They are made when they are needed.
_MOST: Final = 32


class _Threads:
    """The pool of this process."""

    def __init__(self) -> None:
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """After a fork: threads stay in the parent."""
        self.pool = ThreadPoolExecutor(_MOST, thread_name_prefix="asok-cache")


_threads: Final = _Threads()


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call in a thread, with the caller's context variables."""
    run = partial(copy_context().run, call, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads.pool, run)


async def hop(blocking: bool, call: Callable[..., T], *args: Any) -> T:
    """Call in a thread where the call may block, else here."""
    return await in_thread(call, *args) if blocking else call(*args)


def later(call: Callable[[], object]) -> None:
    """Call in a thread, and wait for nothing."""
    _threads.pool.submit(call)
