"""Stored pages over HTTP: a hit is one look-up and one send; the rest goes to the regenerator."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import brotli  # pyright: ignore[reportMissingTypeStubs]
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from asok.asgi.drafts import MARK
from asok.asgi.filling import Filler
from asok.asgi.front import Answer
from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.request import Request
from asok.asgi.static_pages import fresh_response, rendered_response
from asok.pages import (
    Match,
    PageStore,
    Prepared,
    Regenerator,
    Shelf,
    State,
    StoredPage,
    has_current,
    prepare,
)
from asok.pages.prepared import Cache, Header
from asok.pages.route import page_key
from asok.sessions import SECURITY_HEADERS

__all__ = ["StoredPages"]

#: Brotli 5 takes 0.12 ms for 12 KB and comes within a tenth of what 11 takes 9.7 ms for.
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": partial(cast("Any", brotli).compress, quality=5),
    "gzip": partial(gzip.compress, compresslevel=6, mtime=0),
}


class StoredPages:
    """Serves what `regenerator` stores, of which at most `memory` bytes are held ready.

    Pages that are told apart by their query have a quarter as much for themselves, and so
    have guarded ones.
    """

    def __init__(
        self, parts: Parts, regenerator: Regenerator, *, memory: int = 64 * 1024 * 1024
    ) -> None:
        self._parts = parts
        self.regenerator = regenerator
        self._filler = Filler(parts)
        self._clock = regenerator.clock
        store: PageStore = regenerator.store
        apart = max(memory // 4, 1)
        self._open = Shelf(store, partial(self._prepare, guarded=False), memory=memory)
        self._guarded = Shelf(store, partial(self._prepare, guarded=True), memory=apart)
        #: Apart, so that their keys are no paths, and that they never push out plain pages.
        self._variants = Shelf(store, partial(self._prepare, guarded=False), memory=apart)
        self._queries = {
            pattern: page.options.query
            for pattern, page in parts.pages.items()
            if page.static and page.options.query
        }

    def _prepare(self, page: StoredPage, *, guarded: bool) -> Prepared:
        headers = [(name.decode(), value.decode()) for name, value in SECURITY_HEADERS]
        if "nonce" not in page.holed.kinds and page.content_type.startswith("text/html"):
            headers.append(("content-security-policy", self._parts.policy.header()))
        return prepare(page, headers=headers, guarded=guarded, encoders=_ENCODERS)

    def hit(self, path: str, scope: Scope, fields: Mapping[bytes, bytes]) -> Answer | None:
        """Return the page of `path` if it may be sent at once: stored, fresh and unguarded."""
        now = self._clock()
        cookie = fields.get(b"cookie")
        if cookie is not None and MARK in cookie:
            return None  # perhaps an editor's: the long way checks the signature
        prepared = self._open.get(path, now)
        if self._queries and (query := scope["query_string"]):
            prepared = self._variant(path, query, prepared, now)
        if prepared is None:
            return None
        if prepared.bodies:
            return _whole(prepared, fields, "HIT", now)
        common = prepared.headers("HIT", now=now)
        headers, body = self._filler.fill(prepared.page.holed, scope, fields, common)
        return prepared.status, headers, body

    def _variant(
        self, path: str, query: bytes, plain: Prepared | None, now: float
    ) -> Prepared | None:
        """The page of `path` for `query`, which is the `plain` one where nothing is declared."""
        match = None if plain is not None else self._parts.router.match(path)
        pattern = plain.page.pattern if plain is not None else match and match.route.pattern
        declared = self._queries.get(pattern or "")
        if declared is None:
            return plain
        given = declared.read(query)
        if not given:  # none of them was given, or a value does not fit: that is a 404
            return plain if given is not None else None
        return self._variants.get(page_key(path, given), now)

    async def respond(self, match: Match, request: Request, page: Page) -> Response:
        """Return the page for `request` after its guards, rendering it where it must be."""
        if request.draft:
            return await fresh_response(self._parts, match, request, page, why="draft")
        served = await self.regenerator.aget(match, page.options)
        if served.page is None:
            if served.rendered is None:
                gone = served.decision.state is State.GONE
                told = "asok; hit; detail=gone" if gone else "asok; fwd=bypass; detail=unlisted"
                missing = f"There is no page {match.path}."
                raise HTTPException(404, missing, headers={"cache-status": told})
            return rendered_response(served.rendered, request, served.cache, "asok; fwd=miss")
        plain = self._variants if match.query else self._open
        shelf = self._guarded if page.guarded else plain
        prepared = shelf.put(served.page)
        scope, now = request.http.scope, self._clock()
        if prepared.page.holed.kinds:
            # The dispatcher adds the policy and the cookie, as it does for every visitor.
            body = prepared.page.holed.fill_from(request.visitor.secrets)
            status = prepared.status
            headers: Sequence[Header] = prepared.headers(served.cache, now=now)
        else:
            status, headers, body = _whole(prepared, dict(scope["headers"]), served.cache, now)
        response = Response(body, status)
        response.raw_headers = list(headers)
        return response


def _whole(prepared: Prepared, fields: Mapping[bytes, bytes], cache: Cache, now: float) -> Answer:
    """The answer that is the same for every visitor, or 304 to who has it (RFC 9110, 13.1.2)."""
    coding = prepared.coding(fields.get(b"accept-encoding"))
    asked = fields.get(b"if-none-match")
    if asked is not None and has_current(asked.decode("latin-1"), prepared.etag(coding)):
        return 304, prepared.headers(cache, now=now, coding=coding, modified=False), b""
    headers = prepared.headers(cache, now=now, coding=coding)
    return prepared.status, headers, prepared.bodies[coding]
