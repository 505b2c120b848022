"""What a handler may return, made into a response."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from anyio import CancelScope, to_thread
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import HTMLResponse, Response, StreamingResponse

from asok.asgi.json_response import JSON
from asok.errors import AsokError

__all__ = ["to_response"]

_EXPECTED = (
    "Return text (HTML), a response (request.html(...), request.json(...)), a dict or list "
    "(JSON), a tuple (body, status) or (body, status, headers), or an iterator of text."
)


def to_response(value: Any, *, where: str, file: Path | None = None) -> Response:
    """Make a response of a handler's value; `where` and `file` name the handler in errors.

    Raises `AsokError` for values that have no meaning, None above all.
    """
    if isinstance(value, Response):
        return value
    if isinstance(value, str):  # Markup too
        return HTMLResponse(str(value))
    if isinstance(value, bytes):
        return Response(value, media_type="application/octet-stream")
    if isinstance(value, dict | list):
        return JSON(value)
    if isinstance(value, tuple):
        return _from_tuple(cast("tuple[Any, ...]", value), where, file)
    if isinstance(value, AsyncIterator):
        return _stream(cast("AsyncIterator[Any]", value))
    if isinstance(value, Iterator) or inspect.isgenerator(value):
        return _stream(cast("Iterator[Any]", value))
    got = "None: it has no return statement" if value is None else type(value).__name__
    raise AsokError(f"{where} returned {got}.", fix=_EXPECTED, file=file)


def _from_tuple(value: tuple[Any, ...], where: str, file: Path | None) -> Response:
    if len(value) in (2, 3) and isinstance(value[0], int) and not isinstance(value[0], bool):
        value = (value[1], value[0], *value[2:])
    match value:
        case (body, int() as status) if 200 <= status <= 599:
            headers: Mapping[str, str] = {}
        case (body, int() as status, dict()) if 200 <= status <= 599:
            headers = cast("dict[str, str]", value[2])
        case _:
            raise AsokError(
                f"{where} returned the tuple {value!r}, expected (body, status) or "
                "(body, status, headers) with a status from 200 to 599.",
                fix=_EXPECTED,
                file=file,
            )
    response = to_response(body, where=where, file=file)
    response.status_code = status
    response.headers.update(headers)
    return response


def _stream(chunks: Iterator[Any] | AsyncIterator[Any]) -> Response:
    if not isinstance(chunks, AsyncIterator):
        chunks = _in_threads(chunks)
    return StreamingResponse(chunks, media_type="text/html")


async def _in_threads(chunks: Iterator[Any]) -> AsyncIterator[Any]:
    """Iterate in threads, and close a generator whose reader has left.

    Nobody else would: an idle worker thread keeps a reference to what it called last.
    """
    try:
        async for chunk in iterate_in_threadpool(chunks):
            yield chunk
    finally:
        if isinstance(chunks, Generator):
            with CancelScope(shield=True):
                await to_thread.run_sync(cast("Generator[Any]", chunks).close)
