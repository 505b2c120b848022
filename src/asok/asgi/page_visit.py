"""Whether a visitor may see a page, asked on behalf of a part of it: by its own functions.

Guards and middleware of the page run as for a request of the page itself, so whoever may not
see the page may not have its parts, neither later nor over a socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.types import Scope

from asok.asgi.calling import call
from asok.asgi.middleware import run_through
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.asgi.returned import to_response
from asok.asgi.visitor import Visitor

__all__ = ["SocketGuards", "visit_page"]


async def visit_page(
    parts: Parts,
    scope: Scope,
    path: str,
    visitor: Visitor,
    within: Callable[[], Awaitable[None]],
) -> bool:
    """Await `within()` behind the guards and middleware of the page at `path`.

    False where they answered something else than 200, which is their way to refuse. `scope` is
    that of a request or a socket of the same visitor.
    """
    match = parts.router.match(path)
    if match is None:  # an error page: it is nobody's secret
        await within()
        return True
    page = parts.pages[match.route.pattern]
    request = Request(
        HTTPRequest(_page_scope(scope, path)),
        site=parts,
        params=match.params,
        visitor=visitor,
        page_folder=page.route.folder,
    )

    async def respond(given: Request) -> Response:
        for guard in page.guards:
            refusal = await call(guard, given, parts.scopes)
            if refusal is not None:
                return to_response(refusal, where=guard.__name__, file=page.file)
        await within()
        return Response()

    answer = await run_through(page.middleware, request, respond, file=page.file)
    return answer.status_code == 200


class SocketGuards:
    """Asks the guards of pages for one socket, each time with the session as it is by then."""

    def __init__(self, parts: Parts, scope: Scope, session_id: str) -> None:
        self._parts = parts
        self._scope = scope
        self._session_id = session_id
        self._open: set[str] = set()

    async def __call__(self, path: str) -> bool:
        """Whether the visitor may see the page at `path` now; a page without guards asks nobody."""
        if path in self._open:
            return True
        parts = self._parts
        match = parts.router.match(path)
        if match is None or not parts.pages[match.route.pattern].guarded:
            self._open.add(path)  # from a signed state
            return True
        visitor = parts.visitor(self._scope)
        visitor.session.id = self._session_id
        if parts.sessions.blocking:  # guards and middleware may run on the loop
            await to_thread.run_sync(visitor.session.load)
        passed = False

        async def within() -> None:
            nonlocal passed
            passed = True

        answered = await visit_page(parts, self._scope, path, visitor, within)
        return passed and answered


def _page_scope(scope: Scope, path: str) -> dict[str, Any]:
    """The scope of a request for the page itself, by the same visitor."""
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"content-length", b"content-type", b"transfer-encoding")
    ]
    return {
        **scope,
        "type": "http",
        "scheme": {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"]),
        "method": "GET",
        "path": scope.get("root_path", "") + path,
        "raw_path": b"",
        "query_string": b"",
        "headers": headers,
        "asok.path": path,
    }
