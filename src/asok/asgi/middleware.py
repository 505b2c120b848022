"""Middleware that a page declares: what runs around its guards and its handler, on every hit.

A sync function runs in a thread, an async one on the loop. Each depth of sync middleware has
threads of its own: one that waits for what it called holds a thread, and must never hold the
last one that its inside needs.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, from_thread, to_thread
from anyio.lowlevel import RunVar
from starlette.responses import Response

from asok.asgi.calling import is_async
from asok.asgi.request import Request
from asok.asgi.returned import to_response

__all__ = ["Middleware", "run_through"]

#: `def timing(request, call_next)`: returns what `call_next(request)` returned, or its own.
Middleware = Callable[[Request, Callable[[Request], Any]], Any]
Respond = Callable[[Request], Awaitable[Response]]

_THREADS = 40
_limiters: RunVar[dict[int, CapacityLimiter]] = RunVar("asok.middleware")


async def run_through(
    chain: Sequence[Middleware],
    request: Request,
    respond: Respond,
    *,
    file: Path | None = None,
    depth: int = 0,
) -> Response:
    """Return the answer to `request`: that of the first of `chain`, around all others.

    `respond` is what the last one calls; `file` is named in errors.
    """
    if depth == len(chain):
        return await respond(request)
    one = chain[depth]

    async def call_next(given: Request) -> Response:
        return await run_through(chain, given, respond, file=file, depth=depth + 1)

    if is_async(one):
        value = one(request, call_next)
    else:

        def run() -> Any:
            return one(request, lambda given: from_thread.run(call_next, given))

        value = await to_thread.run_sync(run, limiter=_limiter(depth))
    if inspect.isawaitable(value):
        value = await value
    return to_response(value, where=getattr(one, "__name__", "a middleware"), file=file)


def _limiter(depth: int) -> CapacityLimiter:
    none: dict[int, CapacityLimiter] = {}
    limiters = _limiters.get(none)
    if depth not in limiters:
        limiters[depth] = CapacityLimiter(_THREADS)
        _limiters.set(limiters)
    return limiters[depth]
