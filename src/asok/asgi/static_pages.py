"""Static pages over HTTP: stored ones in production, fresh ones in development."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope, Send

from asok.asgi.freezing import freeze_page
from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.pages import Match, Prepared, Rendered, Route

__all__ = ["DevelopmentPages", "page_renderer", "rendered_response"]


def page_renderer(parts: Parts) -> Callable[[Route, Mapping[str, Any], str], Rendered]:
    """Return the port that the pages room renders through."""

    def render(route: Route, params: Mapping[str, Any], path: str) -> Rendered:
        return freeze_page(parts, parts.pages[route.pattern], path, params)

    return render


def rendered_response(rendered: Rendered, request: Request, cache: str) -> Response:
    """Answer with a render that was not stored. Raises `HTTPException` for its 4xx and 5xx."""
    body = rendered.holed.fill_from(request.visitor.secrets)
    if rendered.status >= 400 and not body:
        raise HTTPException(rendered.status, headers=dict(rendered.headers))
    response = Response(body, rendered.status)
    response.headers.update(dict(rendered.headers))
    response.headers["x-asok-ssg-cache"] = cache
    return response


class DevelopmentPages:
    """Renders a static page for every request, under the same rules as when it is stored.

    Nothing is kept, so an edit is seen at once; a page that reads the visitor fails here
    already, not only in the build.
    """

    def __init__(self, parts: Parts) -> None:
        self._render = page_renderer(parts)

    def find(self, path: str) -> Prepared | None:
        """Nothing is stored."""
        return None

    async def send(self, prepared: Prepared, scope: Scope, send: Send) -> None:
        """Never called: nothing is found."""
        raise NotImplementedError

    async def respond(self, match: Match, request: Request, page: Page) -> Response:
        """Render the page now."""

        def run() -> Rendered:
            return contextvars.Context().run(self._render, match.route, match.params, match.path)

        return rendered_response(await to_thread.run_sync(run), request, "BYPASS")
