"""What an unsafe request has to bring: a body in bounds, and proof of where it comes from."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest

from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.asgi.uploads import Body, read_body
from asok.sessions import FIELD, HEADER, headers_problem, origin_problem

__all__ = ["take_body"]

log = logging.getLogger("asok.request")


async def take_body(parts: Parts, http: HTTPRequest, request: Request, page: Page) -> None:
    """Read the body, and refuse what another site may have sent (CSRF).

    Raises `HTTPException` 403 for a foreign request, 400 and 413 for a bad body.
    """
    if page.csrf:
        _check_origin(parts, http, request)
    body: Body = await read_body(http, parts.max_body)
    request.accept_body(body)
    if page.csrf and parts.csrf_tokens:
        _check_token(http, request, body)


def _check_origin(parts: Parts, http: HTTPRequest, request: Request) -> None:
    # Without tokens the headers are all there is, so they have to be there.
    problem_of = origin_problem if parts.csrf_tokens else headers_problem
    problem = problem_of(
        http.headers,
        scheme="https" if parts.secure(http.scope) else "http",
        host=http.headers.get("host", ""),
        trusted=parts.trusted_origins,
    )
    if problem is None:
        return
    log.warning(
        "%s %s was refused: %s. Where a proxy ends TLS in front of this site, set "
        "BASE_URL to the address that visitors see; other sites that may send forms "
        "here belong in WS_ALLOWED_ORIGINS.",
        http.method,
        request.path,
        problem,
    )
    raise HTTPException(403, f"This request was refused: {problem}.")


def _check_token(http: HTTPRequest, request: Request, body: Body) -> None:
    token = http.headers.get(HEADER) or body.form.get(FIELD, "")
    if not request.visitor.valid(token):
        raise HTTPException(
            403,
            "This form has expired or was not sent from this site. "
            "Go back, reload the page and send it again."
            if token
            else f"This request carries no {FIELD} field and no {HEADER} header.",
        )
