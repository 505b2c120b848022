"""Calling a handler: sync ones in one thread hop with their scopes, async ones on the loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from anyio import CapacityLimiter, to_thread

from asok.asgi.request import Handler, Request

__all__ = ["call", "call_from_thread"]

Scopes = Sequence[Callable[[], AbstractContextManager[Any]]]


def is_async(handler: Callable[..., Any]) -> bool:
    """Whether calling `handler` gives something to await (through wrappers and callables)."""
    plain = inspect.unwrap(handler)  # a decorator's own kind says nothing: see `call`
    return inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(
        getattr(plain, "__call__", None)  # noqa: B004 (its kind is asked, not its presence)
    )


async def call(handler: Handler, request: Request, scopes: Scopes) -> Any:
    """Return what `handler` returns, without blocking the event loop."""
    if is_async(handler):
        with ExitStack() as stack:
            for scope in scopes:
                stack.enter_context(scope())
            # A decorator that is not async may answer itself instead of calling the handler.
            value = handler(request)
            return await value if inspect.isawaitable(value) else value

    def run() -> Any:
        with ExitStack() as stack:
            for scope in scopes:
                stack.enter_context(scope())
            return handler(request)

    with ExitStack() as stack:
        opened = [stack.enter_context(scope()) for scope in scopes]
        # Who holds a connection already (its guard asked the database) does not queue for a
        # thread: those who wait for a connection might hold every thread there is.
        held = any(getattr(one, "connected", False) for one in opened)
        value = await to_thread.run_sync(run, limiter=CapacityLimiter(1) if held else None)
    if not inspect.isawaitable(value):
        return value
    with ExitStack() as stack:  # what it awaits runs here, after the thread's scopes were left
        for scope in scopes:
            stack.enter_context(scope())
        return await value


def call_from_thread(handler: Handler, request: Request, scopes: Scopes) -> Any:
    """The same for a thread that has no event loop: a page that is being frozen."""
    with ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(scope())
        value = handler(request)
        if inspect.isawaitable(value):

            async def wait() -> Any:
                return await value

            return asyncio.run(wait())
        return value
