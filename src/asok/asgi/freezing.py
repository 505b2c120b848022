"""Rendering a page for everybody: the port that the pages room renders through."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

from asok import holes
from asok.asgi.calling import call_from_thread
from asok.asgi.frozen import FrozenRequest
from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.returned import to_response
from asok.drafting import render_draft
from asok.errors import FrozenPageError, PageError, RecordNotFound
from asok.holes import Holed, Sentinels
from asok.pages import Match, Rendered
from asok.sharing import Sharing, share
from asok.source_file import user_line

__all__ = ["freeze_page"]

#: They are made anew for every response, or hold a visitor's value.
_NOT_KEPT = frozenset({"content-length", "date", "content-security-policy"})


def freeze_page(parts: Parts, page: Page, match: Match, *, draft: bool = False) -> Rendered:
    """Render `page` for `match` without a visitor, and cut the visitor's values out.

    With `draft` the page may show what is not published; the result must never be stored.
    Runs in a thread without an event loop, in an empty context. Raises whatever the page
    raises, `FrozenPageError` for reading the visitor, `HoleError` for a changed value.
    """
    handler = page.handler("GET")
    if handler is None:
        raise PageError(
            f"this page is static but answers only {', '.join(page.allow)}.",
            fix="Define get(request), or remove SSG = True.",
            file=page.file,
        )
    hashing = parts.hashing() if (page.options.csp or parts.csp) == "hash" else None
    sentinels = hashing.sentinels if hashing is not None else Sentinels(tokens=parts.csrf_tokens)
    request = FrozenRequest(
        site=parts,
        path=match.path,
        params=match.params,
        sentinels=sentinels,
        page_folder=page.route.folder,
        query=page.options.query,
        given=match.query,
        draft=draft,
    )
    parts_of_page = Sharing()
    with holes.use(sentinels), render_draft(draft), share(parts_of_page):
        try:
            value = call_from_thread(handler, request, parts.scopes)
            response = to_response(value, where="get", file=page.file)
            body = _whole(response, page)
        except HTTPException as error:
            headers = list((error.headers or {}).items())
            return Rendered(
                error.status_code, headers, Holed((b"",)), _tags(request, parts_of_page)
            )
        except RecordNotFound:
            return Rendered(404, [], Holed((b"",)), _tags(request, parts_of_page))
        except FrozenPageError as error:
            place = None if error.line is not None else user_line(error, parts.root)
            if place is not None:
                error.file, error.line = place
            raise
    headers = [(name, value) for name, value in response.headers.items() if name not in _NOT_KEPT]
    if hashing is None:
        holed = sentinels.cut(body)
    else:
        holed, policy = hashing.finish(body)
        if policy is not None:
            headers.append(("content-security-policy", policy))
    return Rendered(response.status_code, headers, holed, _tags(request, parts_of_page))


def _tags(request: FrozenRequest, sharing: Sharing) -> tuple[str, ...]:
    """What the page named, and what the cached fragments on it carry."""
    return tuple(dict.fromkeys((*request.tags, *sharing.tags)))


def _whole(response: Response, page: Page) -> bytes:
    if isinstance(response, StreamingResponse):

        async def read() -> bytes:
            chunks = [chunk async for chunk in response.body_iterator]
            return b"".join(
                chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in chunks
            )

        return asyncio.run(read())
    if isinstance(response, FileResponse):
        raise PageError(
            "this page is static but answers with a file.",
            fix="Put the file below src/static and link it with static('name'), or remove "
            "SSG = True.",
            file=page.file,
        )
    return bytes(response.body)
