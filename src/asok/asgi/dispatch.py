"""From a request to its page and back: method, body, CSRF, guards, handler, session, headers."""

from __future__ import annotations

import logging
from typing import Protocol

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from asok import holes
from asok.asgi.calling import call, is_async
from asok.asgi.failures import failure
from asok.asgi.finishing import add_headers, deliver, save_session
from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.asgi.returned import to_response
from asok.asgi.uploads import Body, bounded, read_body
from asok.errors import RecordNotFound
from asok.pages import Match
from asok.sessions import FIELD, HEADER, SAFE_METHODS, origin_problem

__all__ = ["Dispatcher", "StaticPages"]

log = logging.getLogger("asok.request")


class StaticPages(Protocol):
    """Answers static pages from what is stored."""

    async def respond(self, match: Match, request: Request, page: Page) -> Response:
        """Return the page for this visitor. Raises `HTTPException` 404 where it is gone."""
        ...


class Dispatcher:
    """The inner ASGI application: everything that is not answered before routing."""

    def __init__(self, parts: Parts, static: StaticPages) -> None:
        self.parts = parts
        self.static = static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; `scope["asok.path"]` is the path below the mount."""
        parts = self.parts
        visitor = parts.visitor(scope)
        http = HTTPRequest(scope, bounded(receive, parts.max_body))
        request = Request(http, site=parts, params={}, visitor=visitor)
        with holes.use(visitor.secrets):
            try:
                response = await self._answer(http, request)
                try:
                    session_id = await save_session(parts, visitor, response)
                except Exception as error:  # noqa: BLE001 (logged, answered with 500)
                    response = await self._broken(request, error)
                    session_id = visitor.cookie_due
                add_headers(parts, scope, visitor, response, session_id)
                await deliver(parts, visitor, response, scope, receive, send)
            finally:
                await http.close()  # the temporary files of uploads

    async def _answer(self, http: HTTPRequest, request: Request) -> Response:
        try:
            return await self._respond(http, request)
        except HTTPException as error:
            return await failure(self.parts, request, error)
        except RecordNotFound as error:
            return await failure(self.parts, request, HTTPException(404, str(error)))
        except Exception as error:  # noqa: BLE001 (logged, answered with 500)
            return await self._broken(request, error)

    async def _broken(self, request: Request, error: Exception) -> Response:
        """The site's page for 500; what was done to the session by halves is forgotten."""
        if self.parts.debug:
            raise error
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        request.visitor.session.drop()
        wrong = HTTPException(500, "Something went wrong on our side.")
        wrong.__cause__ = error
        return await failure(self.parts, request, wrong)

    async def _respond(self, http: HTTPRequest, request: Request) -> Response:
        path = request.path
        match = None if "\ufffd" in path else self.parts.router.match(path)
        if match is None:
            target = self.parts.router.redirect(path)
            if target is not None and http.method in ("GET", "HEAD"):
                return self._canonical(http, target)
            raise HTTPException(404, f"There is no page {path}.")
        page = self.parts.pages[match.route.pattern]
        request.params = dict(match.params)
        request.page_folder = page.route.folder
        handler = page.handler(http.method)
        if handler is None:
            allow = {"allow": ", ".join(page.allow)}
            if http.method == "OPTIONS":
                return Response(status_code=204, headers=allow)
            raise HTTPException(405, f"{path} answers {allow['allow']} only.", headers=allow)
        if http.method not in SAFE_METHODS:
            await self._take_body(http, request, page)
        if self.parts.sessions.blocking and any(map(is_async, (handler, *page.guards))):
            await to_thread.run_sync(request.visitor.session.load)
        for guard in page.guards:
            refusal = await call(guard, request, self.parts.scopes)
            if refusal is not None:
                response = to_response(refusal, where=guard.__name__, file=page.file)
                response.headers.setdefault("cache-control", "no-store")
                return response
        if page.static and http.method in ("GET", "HEAD"):
            return await self.static.respond(match, request, page)
        value = await call(handler, request, self.parts.scopes)
        return to_response(value, where=http.method.lower(), file=page.file)

    @staticmethod
    def _canonical(http: HTTPRequest, target: str) -> Response:
        query = http.scope["query_string"].decode("latin-1")
        root = http.scope.get("root_path", "")
        return RedirectResponse(f"{root}{target}{'?' + query if query else ''}", 308)

    async def _take_body(self, http: HTTPRequest, request: Request, page: Page) -> None:
        """Read the body and refuse what another site may have sent (CSRF)."""
        if page.csrf:
            problem = origin_problem(
                http.headers,
                scheme="https" if self.parts.secure(http.scope) else "http",
                host=http.headers.get("host", ""),
                trusted=self.parts.trusted_origins,
            )
            if problem is not None:
                log.warning(
                    "%s %s was refused: %s. Where a proxy ends TLS in front of this site, set "
                    "BASE_URL to the address that visitors see; other sites that may send forms "
                    "here belong in WS_ALLOWED_ORIGINS.",
                    http.method,
                    request.path,
                    problem,
                )
                raise HTTPException(403, f"This request was refused: {problem}.")
        body: Body = await read_body(http, self.parts.max_body)
        request.accept_body(body)
        if page.csrf:
            token = http.headers.get(HEADER) or body.form.get(FIELD, "")
            if not request.visitor.valid(token):
                raise HTTPException(
                    403,
                    "This form has expired or was not sent from this site. "
                    "Go back, reload the page and send it again."
                    if token
                    else f"This request carries no {FIELD} field and no {HEADER} header.",
                )
