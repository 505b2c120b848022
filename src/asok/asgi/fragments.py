"""`/asok/fragments`: what one visitor gets in place of a page's deferred components.

The browser posts the signed placeholders of its page and gets their HTML. Guards and
middleware of the page run first: whoever may not see the page may not see its parts. The
answer is never kept anywhere, and only a page of this site can ask (Fetch Metadata).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from asok import holes
from asok.asgi.finishing import add_headers, deliver, save_session
from asok.asgi.page_visit import visit_page
from asok.asgi.parts import Parts
from asok.asgi.uploads import bounded, read_body
from asok.asgi.visitor import Visitor
from asok.live import Deferred, Live
from asok.sessions import headers_problem

__all__ = ["FRAGMENTS_PATH", "FragmentsDoor"]

log = logging.getLogger("asok.live")

#: The neighbour of the script that asks, so that it is found below any mount.
FRAGMENTS_PATH = "/asok/fragments"
#: What JSON adds to each token: the element's id, quotes, a comma.
_AROUND = 128

#: Tells the script that the socket, opened at the same moment, may have another session.
_NEW_SESSION = "x-asok-session"

_decoder = msgspec.json.Decoder(dict[str, str])

Fragments = dict[str, str | None]


class FragmentsDoor:
    """Answers `POST {"<element id>": "<what it says>"}` with `{"<element id>": "<html>"}`.

    An element whose component failed, or whose page its visitor may not see, has null.
    """

    def __init__(self, live: Live, parts: Parts) -> None:
        self._live = live
        self._parts = parts
        limits = live.limits
        self._max_body = limits.components * (limits.deferred_bytes + _AROUND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "no such socket"})
            return
        parts = self._parts
        visitor = parts.visitor(scope)
        http = HTTPRequest(scope, bounded(receive, self._max_body))
        # A script that is put in later does not run, whatever its nonce: there is none.
        secrets = holes.VisitorSecrets(
            str, (lambda: visitor.csrf_token) if visitor.secrets.tokens else None
        )
        with holes.use(secrets):
            response, session_id = await self._answered(http, visitor)
        response.headers["cache-control"] = "private, no-store"
        response.headers["content-security-policy"] = "default-src 'none'; sandbox"
        response.headers["cross-origin-resource-policy"] = "same-origin"
        if session_id is not None:
            response.headers[_NEW_SESSION] = "new"
        add_headers(parts, scope, visitor, response, session_id)
        await deliver(parts, visitor, response, scope, receive, send)

    async def _answered(self, http: HTTPRequest, visitor: Visitor) -> tuple[Response, str | None]:
        try:
            response = await self._respond(http, visitor)
            return response, await save_session(self._parts, visitor, response)
        except HTTPException as error:
            return _problem(error.status_code, error.detail, error.headers), visitor.cookie_due
        except Exception:
            # Nothing of it reached the visitor; the placeholders stay.
            log.exception("the deferred components of a page failed")
            visitor.session.drop()
            return _problem(500, "Something went wrong on our side."), visitor.cookie_due

    async def _respond(self, http: HTTPRequest, visitor: Visitor) -> Response:
        if http.method != "POST":
            raise HTTPException(405, "Components are asked for by POST.", {"allow": "POST"})
        problem = headers_problem(
            http.headers,
            scheme="https" if self._parts.secure(http.scope) else "http",
            host=http.headers.get("host", ""),
        )
        if problem is not None:
            log.warning("deferred components were refused: %s", problem)
            raise HTTPException(403, f"This request was refused: {problem}.")
        asked = await self._read(http)
        found = self._live.deferrals.read(asked)
        if not found:
            raise HTTPException(400, "None of these placeholders is one of this site.")
        if self._parts.sessions.blocking:  # guards and middleware may run on the loop
            await to_thread.run_sync(visitor.session.load)
        fragments: Fragments = dict.fromkeys(asked)
        pages = {deferred.page for deferred in found.values()}
        # A cached fragment of a page may have been rendered on another one.
        seen = False
        for page in sorted(pages):
            wanted = {element: one for element, one in found.items() if one.page == page}
            made = await self._of_page(page, wanted, http, visitor)
            seen = seen or made is not None
            fragments.update(made or {})
        if not seen:
            raise HTTPException(403, "This visitor may not see the page of these components.")
        if all(html is None for html in fragments.values()):
            raise HTTPException(500, "None of these components could be rendered.")
        return JSONResponse(fragments)

    async def _read(self, http: HTTPRequest) -> dict[str, str]:
        if http.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "Placeholders are sent as application/json.")
        body = await read_body(http, self._max_body)
        try:
            asked = _decoder.decode(body.raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise HTTPException(400, "Placeholders are an object of texts.") from error
        if len(asked) > self._live.limits.components:
            raise HTTPException(
                400, f"At most {self._live.limits.components} components are rendered at once."
            )
        return asked

    async def _of_page(
        self, path: str, wanted: Mapping[str, Deferred], http: HTTPRequest, visitor: Visitor
    ) -> Fragments | None:
        """Render components of the page at `path`; None where its visitor may not see that."""
        made: Fragments = {}

        async def render() -> None:
            made.update(await self._live.run_sync(lambda: self._render(wanted, visitor)))

        seen = await visit_page(self._parts, http.scope, path, visitor, render)
        return made if seen else None

    def _render(self, wanted: Mapping[str, Deferred], visitor: Visitor) -> Fragments:
        """Render in a thread; a component that fails leaves its own placeholder only."""
        session = visitor.session
        if session.id is None:
            session.id = self._parts.ids.new()
        made: Fragments = {}
        for element, deferred in wanted.items():
            try:
                made[element] = self._live.deferrals.fill(
                    deferred, session_id=session.id, session=session
                )
            except Exception:
                log.exception("the deferred component %s failed", deferred.name)
                made[element] = None
        return made


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": detail}, status, headers=dict(headers or {}))
