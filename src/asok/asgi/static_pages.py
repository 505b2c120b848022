"""Static pages over HTTP: stored ones in production, fresh ones in development."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from asok.asgi.freezing import freeze_page
from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.errors import AsokError, PageError
from asok.observing import empty_context
from asok.pages import Match, Rendered
from asok.source_file import user_line

__all__ = [
    "DevelopmentPages",
    "fresh_response",
    "located",
    "page_renderer",
    "rendered_response",
]


RenderPage = Callable[[Match], Rendered]


def located(render: RenderPage, root: Path) -> RenderPage:
    """Let what `render` raises name the file and the line of the user's own code."""

    def run(match: Match) -> Rendered:
        try:
            return render(match)
        except Exception as error:
            place = user_line(error, root)
            if place is None or (isinstance(error, AsokError) and error.line is not None):
                raise
            if isinstance(error, AsokError):
                error.file, error.line = place
                raise
            text = f"{type(error).__name__}: {error}"
            raise PageError(text, file=place[0], line=place[1]) from error

    return run


def page_renderer(parts: Parts, *, first: Callable[[], object] | None = None) -> RenderPage:
    """Return the port that the pages room renders through; `first` is called before a page is
    rendered: it hears which values in this worker's memory another one has removed.
    """

    def render(match: Match) -> Rendered:
        if first is not None:
            first()
        return freeze_page(parts, parts.pages[match.route.pattern], match)

    return render


def rendered_response(rendered: Rendered, request: Request, cache: str, status: str) -> Response:
    """Answer with a render that was not stored. Raises `HTTPException` for its 4xx and 5xx.

    `cache` and `status` are the values of `X-Asok-SSG-Cache` and `Cache-Status`.
    """
    told = {"x-asok-ssg-cache": cache, "cache-status": status}
    body = rendered.holed.fill_from(request.visitor.secrets)
    if rendered.status >= 400 and not body:
        raise HTTPException(rendered.status, headers={**dict(rendered.headers), **told})
    response = Response(body, rendered.status)
    response.headers.update(dict(rendered.headers))
    response.headers.update(told)
    return response


async def fresh_response(
    parts: Parts, match: Match, request: Request, page: Page, *, why: str
) -> Response:
    """Render the page for this visitor, under the rules of a stored one; nothing is kept.

    `why` the stores are passed by is told in `Cache-Status`: "draft" or "development".
    """

    def run() -> Rendered:
        # An empty context, as when it is stored: nothing of the visitor can be read.
        return empty_context().run(freeze_page, parts, page, match, draft=request.draft)

    rendered = await to_thread.run_sync(run)
    return rendered_response(rendered, request, "BYPASS", f"asok; fwd=bypass; detail={why}")


class DevelopmentPages:
    """Renders a static page for every request, under the same rules as when it is stored.

    Nothing is kept, so an edit is seen at once; a page that reads the visitor fails here
    already, not only in the build.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def hit(self, path: str, scope: Scope, fields: Mapping[bytes, bytes]) -> None:
        """Nothing is stored."""

    async def respond(self, match: Match, request: Request, page: Page) -> Response:
        """Render the page now."""
        why = "draft" if request.draft else "development"
        return await fresh_response(self._parts, match, request, page, why=why)
