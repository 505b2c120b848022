"""Error answers: the site's own pages for 404 and 500, and a plain one where it has none."""

from __future__ import annotations

import http.client
import logging

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from asok.asgi.calling import call
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.asgi.returned import to_response

__all__ = ["failure"]

log = logging.getLogger("asok.request")

_PLAIN = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    "<title>{status} {phrase}</title></head>"
    "<body><main><h1>{status} {phrase}</h1><p>{detail}</p></main></body></html>"
)


async def failure(parts: Parts, request: Request, error: HTTPException) -> Response:
    """Return the answer for `error`: the site's page of that status, JSON, or plain HTML.

    An error page that fails itself is logged and answered with the plain one, so that an
    error never hides behind another.
    """
    status = error.status_code
    phrase = http.client.responses.get(status, "Error")
    detail = str(error.detail or phrase)
    accept = request.http.headers.get("accept", "")
    if "application/json" in accept and "text/html" not in accept:
        response: Response = JSONResponse({"status": status, "error": detail}, status)
    else:
        response = await _page(parts, request, status, detail) or HTMLResponse(
            _PLAIN.format(status=status, phrase=phrase, detail=detail), status
        )
    response.headers.update(error.headers or {})
    response.headers["cache-control"] = "no-store"
    response.headers.setdefault("cache-status", "asok; fwd=bypass; detail=error")
    return response


async def _page(parts: Parts, request: Request, status: int, detail: str) -> Response | None:
    page = parts.error_pages.get(status)
    handler = page.handler("GET") if page is not None else None
    if page is None or handler is None:
        return None
    request.page_folder = page.route.folder
    request.state.update(status=status, message=detail)
    try:
        response = to_response(
            await call(handler, request, parts.scopes), where="get", file=page.file
        )
    except Exception:
        if parts.debug:
            raise
        log.exception("the error page %s failed itself", page.file)
        return None
    response.status_code = status
    return response
