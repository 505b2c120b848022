"""Async twins: what waits for the database does so in a thread, and the event loop goes on.

One hop for each call. In a request (or `scope()`) the hops take turns, because they share one
connection; a transaction keeps the turn until its end, so that nothing of another task gets
into it. Who holds a connection never queues for a thread: those whom it keeps waiting for a
connection might hold every thread there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

from asok.errors import ModelError
from asok.models.asking import note_asker
from asok.models.request_scope import Scope, current_scope

__all__ = ["hop", "in_thread", "in_threads", "taking_turns", "twin"]

P = ParamSpec("P")
T = TypeVar("T")
Self = TypeVar("Self")

#: Seconds that a task waits for the transaction of another task of its request.
PATIENCE: Final = 30.0


class Turn:
    """The right to use a scope's connection; `outer` is the one within which this is given."""

    def __init__(self, scope: Scope, outer: Turn | None = None) -> None:
        self.scope = scope
        self.outer = outer
        self.lock = asyncio.Lock()
        self.closed = False

    def close(self) -> None:
        """Give no turns any more: the transaction or the scope has ended."""
        self.closed = True

    async def take(self) -> None:
        """Wait for the turn. Raises `ModelError` after `PATIENCE`."""
        try:
            await asyncio.wait_for(self.lock.acquire(), PATIENCE)
        except TimeoutError:
            raise ModelError(
                f"a query waited {PATIENCE:g} s for a transaction of its own request.",
                fix="Await nothing inside `async with Model.atransaction()` that itself waits "
                "for the database outside of it.",
            ) from None


_inner: ContextVar[Turn | None] = ContextVar("asok.models.turn", default=None)


def _turn(scope: Scope) -> Turn:
    """The turn of this task: that of the transaction in which it is, or the scope's own."""
    found = _inner.get()
    while found is not None and (found.closed or found.scope is not scope):
        found = found.outer
    return found if found is not None else scope.part(Turn, lambda: Turn(scope))


async def hop(call: Callable[[], T]) -> T:
    """Return what `call` returns, called in a thread that sees this task's scope."""
    note_asker()
    scope = current_scope()
    if scope is None:
        return await in_thread(call, None)
    turn = _turn(scope)
    await turn.take()
    try:
        return await in_thread(call, scope)
    finally:
        turn.lock.release()


async def in_thread(call: Callable[[], T], scope: Scope | None) -> T:
    """The hop itself. Cancelled, it still waits: the connection is in use until the end."""
    limiter = CapacityLimiter(1) if scope is not None and scope.connected else None
    task = asyncio.ensure_future(to_thread.run_sync(call, limiter=limiter))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with CancelScope(shield=True):
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError:
                    continue  # told once more; it is told to the caller below
        if not task.cancelled():
            task.exception()  # the caller is leaving; nobody else asks
        raise


@asynccontextmanager
async def taking_turns(scope: Scope) -> AsyncGenerator[None]:
    """Keep the scope's turn; what this task and its children call inside takes turns within."""
    outer = _turn(scope)
    await outer.take()
    inner = Turn(scope, outer)
    token = _inner.set(inner)
    try:
        yield
    finally:
        inner.close()
        _inner.reset(token)
        outer.lock.release()


@asynccontextmanager
async def in_threads(block: AbstractContextManager[object], scope: Scope) -> AsyncGenerator[None]:
    """Enter and leave a context manager in threads, also where the task is cancelled."""
    entered: list[bool] = []

    def enter() -> None:
        block.__enter__()
        entered.append(True)

    try:
        await in_thread(enter, scope)
        yield
    except BaseException as error:
        failure = error  # not the name that `except` deletes
        if entered:
            await in_thread(lambda: block.__exit__(type(failure), failure, None), scope)
        raise
    else:
        await in_thread(lambda: block.__exit__(None, None, None), scope)


def twin(
    method: Callable[Concatenate[Self, P], T],
) -> Callable[Concatenate[Self, P], Coroutine[Any, Any, T]]:
    """The same method for coroutines."""

    @wraps(method)
    async def call(self: Self, *args: P.args, **kwargs: P.kwargs) -> T:
        return await hop(lambda: method(self, *args, **kwargs))

    call.__name__ = f"a{method.__name__}"
    call.__qualname__ = f"{method.__qualname__.rpartition('.')[0]}.{call.__name__}"
    return call
