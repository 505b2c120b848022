"""From a request to its page and back: method, query, body, middleware, guards, handler."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from asok import holes
from asok.asgi.admission import take_body
from asok.asgi.cache_timing import CacheTiming
from asok.asgi.calling import call, is_async
from asok.asgi.failures import failure
from asok.asgi.finishing import add_headers, deliver, save_session
from asok.asgi.middleware import run_through
from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.request import Handler, Request
from asok.asgi.returned import to_response
from asok.asgi.uploads import bounded
from asok.drafting import render_draft
from asok.errors import RecordNotFound
from asok.pages import Match
from asok.sessions import SAFE_METHODS

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
        http = HTTPRequest(scope, bounded(receive, parts.max_body), send)  # Early Hints need it
        request = Request(http, site=parts, params={}, visitor=visitor)
        timing = CacheTiming(parts.cache) if parts.debug else None
        with holes.use(visitor.secrets), render_draft(visitor.draft.active):
            try:
                response = await self._answer(http, request)
                try:
                    session_id = await save_session(parts, visitor, response)
                except Exception as error:  # noqa: BLE001 (logged, answered with 500)
                    response = await self._broken(request, error)
                    session_id = visitor.cookie_due
                add_headers(parts, scope, visitor, response, session_id)
                asked = timing.header() if timing is not None else None
                if asked is not None:
                    response.raw_headers.append(asked)
                await deliver(parts, visitor, response, scope, receive, send)
            finally:
                await http.close()  # the temporary files of uploads

    async def _answer(self, http: HTTPRequest, request: Request) -> Response:
        with ExitStack() as stack:
            # One for guards, handler and error page; a body that streams comes after its end.
            for scope in self.parts.scopes:
                stack.enter_context(scope())
            return await self._answered(http, request)

    async def _answered(self, http: HTTPRequest, request: Request) -> Response:
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
        # U+FFFD stands for what is no UTF-8, and for a slash that came percent-encoded.
        whole = "\ufffd" not in path
        match = self.parts.router.match(path) if whole else None
        if match is None:
            target = self.parts.router.redirect(path) if whole else None
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
        if page.options.query:
            match = self._with_query(match, http, request, page)
        if http.method not in SAFE_METHODS:
            await take_body(self.parts, http, request, page)
        called = (handler, *page.guards, *page.middleware)
        if self.parts.sessions.blocking and any(map(is_async, called)):
            await to_thread.run_sync(request.visitor.session.load)

        async def respond(given: Request) -> Response:
            return await self._from_page(match, given, page, handler)

        if not page.middleware:
            response = await respond(request)
        else:
            response = await run_through(page.middleware, request, respond, file=page.file)
        kept = "no-store" not in response.headers.get("cache-control", "")
        if page.static and page.guarded and kept:
            # Whoever decides who may see it has to be asked again the next time.
            response.headers["cache-control"] = "private, no-store"
        return response

    @staticmethod
    def _with_query(match: Match, http: HTTPRequest, request: Request, page: Page) -> Match:
        """The match with the query parameters that the page declares."""
        declared = page.options.query
        given = declared.read(http.scope["query_string"])
        if given is None:
            if http.method in ("GET", "HEAD"):
                raise HTTPException(404, f"There is no such page of {request.path}.")
            return match
        request.query = declared.values(given)
        return replace(match, query=given)

    async def _from_page(
        self, match: Match, request: Request, page: Page, handler: Handler
    ) -> Response:
        """The page's answer, if its guards let the visitor see it."""
        for guard in page.guards:
            refusal = await call(guard, request, self.parts.scopes)
            if refusal is not None:
                response = to_response(refusal, where=guard.__name__, file=page.file)
                response.headers.setdefault("cache-control", "no-store")
                response.headers.setdefault("cache-status", "asok; fwd=bypass; detail=guard")
                return response
        if page.static and request.method in ("GET", "HEAD"):
            return await self.static.respond(match, request, page)
        request.read.clear()  # what guards looked at is not in what the handler shows
        value = await call(handler, request, self.parts.scopes)
        return to_response(value, where=request.method.lower(), file=page.file)

    def _canonical(self, http: HTTPRequest, target: str) -> Response:
        query = http.scope["query_string"].decode("latin-1")
        url = f"{self.parts.mount(http.scope)}{target}{'?' + query if query else ''}"
        return RedirectResponse(url, 308)
