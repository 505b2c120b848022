"""The answer to a plain WSGI server, which can't run this application."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

__all__ = ["MESSAGE", "mark_as_asgi", "refuse"]

F = TypeVar("F", bound=Callable[..., Any])


def mark_as_asgi(function: F) -> F:
    """Mark a function that returns an awaitable as a coroutine function.

    Servers ask `iscoroutinefunction` to tell an ASGI 3 application from others. Ours is a
    plain function because it must also be able to answer a WSGI server.
    """
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(function)
    function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    return function


MESSAGE = """\
This is an ASGI application, and it was called by a WSGI server.

Run it with its own server:

    asok preview --workers 2

or with any ASGI server:

    uvicorn wsgi:app
    gunicorn -k uvicorn_worker.UvicornWorker wsgi:app
"""


def refuse(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer 500 and say what to run; the same goes to the server's log."""
    body = MESSAGE.encode()
    print(MESSAGE, file=environ["wsgi.errors"])
    start_response(
        "500 Internal Server Error",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [body]
