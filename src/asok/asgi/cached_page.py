"""`@cache_page` over HTTP: a handler's answer, made once and filled for each visitor.

The handler runs with sentinels in place of the visitor's nonce and CSRF value, and everything
that it reads of the visitor is noted. What depends on the visitor in a way that is no part of
the key is answered, but never stored and never shared.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import FileResponse, Response, StreamingResponse

from asok import holes
from asok.asgi.request import Request
from asok.asgi.returned import to_response
from asok.asgi.watched import Watched
from asok.cache import (
    Cache,
    CachedPage,
    Computed,
    PagePolicy,
    page_key,
    page_ttl,
    storable,
    undeclared,
)
from asok.holes import Sentinels

__all__ = ["answer"]

#: Made anew for every response.
_NOT_KEPT = frozenset({"content-length", "date"})


def answer(cache: Cache, request: Request, policy: PagePolicy, call: Callable[[], Any]) -> Any:
    """Return the response of `call` from the cache, or make it.

    For an async handler the result is awaitable.
    """
    if request.method not in ("GET", "HEAD"):
        return call()
    attempt = _Attempt(cache, request, policy, call)
    handler = getattr(call, "func", call)
    return attempt.respond_async() if inspect.iscoroutinefunction(handler) else attempt.respond()


class _Attempt:
    """One request to one decorated handler."""

    def __init__(
        self, cache: Cache, request: Request, policy: PagePolicy, call: Callable[[], Any]
    ) -> None:
        self._cache = cache
        self._request = request
        self._policy = policy
        self._call = call
        http = request.http
        self._query = http.query_params.multi_items()
        self._headers = http.headers.items()
        self._extra = undeclared(policy, [name for name, _ in self._query])
        self._key = page_key(
            policy,
            method="GET",
            host=http.headers.get("host", ""),
            path=http.scope.get("root_path", "") + request.path,
            query=self._query,
            headers=self._headers,
        )

    def respond(self) -> Response:
        """For a sync handler, in its thread."""
        found = self._stored(self._cache.get(self._key))
        if found is not None:
            return found
        if self._extra:  # a parameter that the key does not hold: nobody else's page
            return self._private(self._call())
        options: dict[str, Any] = {"stale": self._policy.stale, "tags": self._policy.tags}
        value = self._cache.remember(self._key, self._policy.ttl, self._compute, **options)
        return self._finished(value)

    async def respond_async(self) -> Response:
        """For an async handler, on the loop."""
        found = self._stored(await self._cache.aget(self._key))
        if found is not None:
            return found
        if self._extra:
            return self._private(await self._call())
        options: dict[str, Any] = {"stale": self._policy.stale, "tags": self._policy.tags}
        value = await self._cache.aremember(
            self._key, self._policy.ttl, self._compute_async, **options
        )
        return self._finished(value)

    def _compute(self) -> Computed:
        sentinels, watch = self._sentinels(), self._watch()
        with holes.use(sentinels):
            response = to_response(self._call(), where="the handler under @cache_page")
        return self._computed(response, sentinels, watch)

    async def _compute_async(self) -> Computed:
        sentinels, watch = self._sentinels(), self._watch()
        with holes.use(sentinels):
            call: Awaitable[Any] = self._call()
            response = to_response(await call, where="the handler under @cache_page")
        return self._computed(response, sentinels, watch)

    def _sentinels(self) -> Sentinels:
        return Sentinels(tokens=self._request.visitor.secrets.tokens)

    def _watch(self) -> tuple[Watched, Watched]:
        query, headers = Watched(self._query), Watched(self._headers)
        self._request.watch(query, headers)
        return query, headers

    def _computed(
        self, response: Response, sentinels: Sentinels, watch: tuple[Watched, Watched]
    ) -> Computed:
        if isinstance(response, StreamingResponse | FileResponse):
            return Computed(response, store=False)
        holed = sentinels.cut(bytes(response.body))
        headers = [pair for pair in response.headers.items() if pair[0] not in _NOT_KEPT]
        query, seen = watch
        read = {name for name in self._request.reads if name not in ("args", "headers", "host")}
        read |= {f"header:{name}" for name in seen.seen if name not in self._policy.headers}
        if "host" in self._request.reads and not self._policy.host:
            read.add("host")
        session = self._request.visitor.session
        if session.modified:
            read.add("session")
        page = CachedPage(
            status=response.status_code,
            headers=tuple(headers),
            body=holed,
            stored_at=time.time(),
            reads=None if "*" in query.seen else tuple(sorted(query.seen)),
        )
        reason = storable("GET", response.status_code, headers, policy=self._policy, read=read)
        if reason is not None:
            return Computed(self._response(page, f'asok; fwd=miss; detail="{reason}"'), store=False)
        return Computed(page.encode(), ttl=page_ttl(self._policy, response.status_code))

    def _stored(self, value: Any) -> Response | None:
        page = None if value is None else CachedPage.decode(value)
        if page is None or not page.answers(self._extra):
            return None
        return self._response(page, "asok; hit")

    def _finished(self, value: Any) -> Response:
        if isinstance(value, Response):
            return value
        page = CachedPage.decode(value)
        assert page is not None
        return self._response(page, "asok; fwd=miss; stored")

    def _private(self, value: Any) -> Response:
        return to_response(value, where="the handler under @cache_page")

    def _response(self, page: CachedPage, status: str) -> Response:
        response = Response(page.body.fill_from(self._request.visitor.secrets), page.status)
        for name, text in page.headers:
            response.headers.append(name, text)
        response.headers["cache-status"] = status
        return response
