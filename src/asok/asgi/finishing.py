"""The end of a request: the session is saved, every answer gets its headers, and it is sent."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from typing import Any

from anyio import CancelScope, to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from asok.asgi.parts import Parts
from asok.asgi.visitor import Visitor
from asok.sessions import SECURITY_HEADERS

__all__ = ["add_headers", "deliver", "save_session"]

log = logging.getLogger("asok.request")

Headers = list[tuple[bytes, bytes]]

#: What runs scripts of its own when a browser opens it: HTML, SVG and other XML.
_DOCUMENTS = (b"text/html", b"image/svg+xml", b"application/xhtml+xml", b"text/xml")
#: What lets others keep an answer, or ask for it again.
_VALIDATORS = frozenset({b"cache-control", b"etag", b"last-modified", b"expires", b"age"})
#: They have no content (RFC 9110, 15.3.5 and 15.4.5): a body would be read as the next answer.
_NO_CONTENT = frozenset({204, 304})


async def save_session(parts: Parts, visitor: Visitor, response: Response) -> str | None:
    """Save the visitor's session; return the id to set as a cookie, None where none is due.

    Raises `SessionError`, and whatever the store raises.
    """
    if isinstance(response, StreamingResponse) and _is_document(response.raw_headers):
        # What the stream will show has to be in headers that are sent before it begins.
        _ = visitor.secrets.nonce, visitor.secrets.csrf
    return await _save(parts, visitor)


async def _save(parts: Parts, visitor: Visitor) -> str | None:
    if parts.sessions.blocking and visitor.session.touched:
        return await to_thread.run_sync(visitor.finish)
    return visitor.finish()


def add_headers(
    parts: Parts, scope: Scope, visitor: Visitor, response: Response, session_id: str | None
) -> None:
    """Add the headers that every answer carries, and the cookie for `session_id`."""
    headers: Headers = response.raw_headers
    present = {name for name, _ in headers}
    for name, value in SECURITY_HEADERS:
        if name not in present:
            headers.append((name, value))
    used = visitor.secrets.used
    if b"content-security-policy" not in present and _is_document(headers):
        nonce = visitor.secrets.nonce if "nonce" in used else None
        headers.append((b"content-security-policy", parts.policy.header(nonce).encode("latin-1")))
    draft = visitor.draft
    if draft.active or draft.changed:
        # What an editor sees is nobody else's, and nothing that a browser should keep either.
        headers[:] = [header for header in headers if header[0] not in _VALIDATORS]
        headers.append((b"cache-control", b"private, no-store"))
        if draft.changed:
            headers.append(parts.drafts.header(draft.active, parts.secure(scope)))
    elif used or session_id is not None:
        _keep_private(headers, scope)
    elif b"cache-control" not in present:
        headers.append((b"cache-control", b"private, no-cache"))
    if session_id is not None:
        headers.append(parts.cookies.header(session_id, parts.secure(scope)))
    if b"cache-status" not in present:
        headers.append((b"cache-status", _bypass(scope, visitor)))


def _bypass(scope: Scope, visitor: Visitor) -> bytes:
    """Why no store was asked (RFC 9211): every answer that comes from one says so itself."""
    if scope["method"] not in ("GET", "HEAD"):
        return b"asok; fwd=method"
    return b"asok; fwd=bypass; detail=" + (b"draft" if visitor.draft.active else b"dynamic")


def _keep_private(headers: Headers, scope: Scope) -> None:
    """What holds one visitor's token, nonce or cookie must not reach another by a cache."""
    given = b", ".join(value for name, value in headers if name == b"cache-control").lower()
    if b"private" in given or b"no-store" in given:
        return
    if given:
        log.warning(
            "%s was sent as private, not as %r: it holds a nonce, a CSRF token or a cookie.",
            scope["asok.path"],
            given.decode("latin-1"),
        )
    headers[:] = [header for header in headers if header[0] != b"cache-control"]
    # `no-cache`, not `no-store`: the back-forward cache of the browser stays in use.
    headers.append((b"cache-control", b"private, no-cache"))


async def deliver(
    parts: Parts, visitor: Visitor, response: Response, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send `response`; whoever went away meanwhile is no error."""
    headers: Headers = response.raw_headers
    if response.status_code in _NO_CONTENT:
        drop = (b"content-length", b"content-type")
        headers[:] = [header for header in headers if header[0] not in drop]
        await _send_head(response, send)
        return
    streamed = isinstance(response, StreamingResponse)
    if streamed and scope["method"] == "HEAD":
        await _close(response)
        await _send_head(response, send)
        return
    sent = visitor.session.id
    try:
        await response(scope, receive, _without_body(send) if scope["method"] == "HEAD" else send)
    except ClientDisconnect:
        log.debug("the client of %s went away", scope["asok.path"])
    finally:
        if streamed:
            await _close(response)
    if streamed and visitor.session.modified:
        await _save(parts, visitor)
        if visitor.session.id != sent:
            log.error(
                "%s began a session while its answer was already being sent: the cookie can't "
                "be set any more. Change the session before the stream begins: in a function "
                "that returns a generator.",
                scope["asok.path"],
            )


async def _close(response: StreamingResponse) -> None:
    """End a generator whose reader has left, with what its `finally` frees."""
    chunks: Any = response.body_iterator
    if isinstance(chunks, AsyncGenerator):
        with CancelScope(shield=True):
            await chunks.aclose()


async def _send_head(response: Response, send: Send) -> None:
    status, headers = response.status_code, response.raw_headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
    if response.background is not None:
        await response.background()


def _is_document(headers: Headers) -> bool:
    return any(name == b"content-type" and value.startswith(_DOCUMENTS) for name, value in headers)


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bare
