"""Sending a plan of the asset room: bytes at once, a file by path where the server can."""

from __future__ import annotations

from collections.abc import Mapping

from anyio import to_thread
from starlette.types import Message, Scope, Send

from asok.assets import NOT_FOUND, FileSlice, Plan

__all__ = ["send_plan"]

_CHUNK = 256 * 1024
_NOSNIFF = (b"x-content-type-options", b"nosniff")


async def send_plan(plan: Plan, scope: Scope, send: Send) -> None:
    """Answer with `plan`.

    A file goes by `http.response.zerocopysend` where the server offers it, a whole one by
    `http.response.pathsend` (ASGI 3.0 extensions), else in chunks that a thread reads. The
    file is opened before the status is sent: one that went away meanwhile is a 404, not a
    broken body.
    """
    body = plan.body
    if isinstance(body, bytes):
        await send(_start(plan))
        await send({"type": "http.response.body", "body": body})
        return
    try:
        file = await to_thread.run_sync(body.open)
    except OSError:
        await send_plan(NOT_FOUND, scope, send)
        return
    try:
        await send(_start(plan))
        offered: Mapping[str, object] = scope.get("extensions") or {}
        if isinstance(body, FileSlice):
            if "http.response.zerocopysend" in offered:
                # The application closes the file: servers send from it before `send` returns.
                part = {"file": file.fileno(), "offset": body.start, "count": body.length}
                await send({"type": "http.response.zerocopysend", **part, "more_body": False})
                return
            whole = body.start == 0 and plan.status == 200
            if whole and "http.response.pathsend" in offered:
                await send({"type": "http.response.pathsend", "path": str(body.path)})
                return
        left = body.length
        pieces = body.pieces(file, _CHUNK)
        while left:
            data = await to_thread.run_sync(next, pieces)
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})
        if body.length == 0:
            await send({"type": "http.response.body", "body": b""})
    finally:
        file.close()


def _start(plan: Plan) -> Message:
    headers = plan.headers
    if plan.status not in (200, 206, 304):  # those carry it already, or repeat nothing
        headers = (*headers, _NOSNIFF)
    return {"type": "http.response.start", "status": plan.status, "headers": headers}
