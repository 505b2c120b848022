"""`@cache_page` over HTTP: a handler's answer, made once and filled for each visitor.

A request asks the store once. Where there is no page, one caller makes it (`making`) and the
others wait for it; what turns out to be one visitor's is shared with nobody, neither the answer
nor the error, and a mark in the store lets the next ones not wait for each other.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from math import inf
from typing import Any, Final, Protocol

from starlette.responses import Response

from asok.asgi.calling import Scopes, call, call_from_thread
from asok.asgi.kept_answer import cache_status, kept_answer
from asok.asgi.making import Made, Making
from asok.asgi.request import Request
from asok.asgi.returned import to_response
from asok.asgi.visitor import Visitor
from asok.cache import (
    Cache,
    CachedPage,
    Computed,
    PagePolicy,
    page_key,
    page_ttl,
    undeclared,
)
from asok.cache.held import check_held
from asok.cache.threads import hop
from asok.cache.values import dumps
from asok.errors import AsokError, CacheValueError, ConfigurationError
from asok.pages import data_tag
from asok.sharing import Sharing, share

__all__ = ["Site", "answer"]

#: Stands in the store for a page that is made for each visitor, for these seconds.
_PRIVATE: Final = "private"
_PRIVATE_TTL: Final = 10.0

#: The attempt that makes a page for its own visitor; a refresh in the background has none.
_here: ContextVar[object] = ContextVar("asok.cached_page", default=None)


class Site(Protocol):
    """What cached pages need of their site."""

    @property
    def cache(self) -> Cache: ...

    @property
    def scopes(self) -> Scopes: ...

    def visitor(self, scope: Mapping[str, Any]) -> Visitor:
        """Return who sent a request."""
        ...


def answer(site: Site, request: Request, policy: PagePolicy, call: Callable[[], Any]) -> Any:
    """Return the response of `call` from the cache, or make it.

    For an async handler the result is awaitable.
    """
    # A handler that calls another one: the outer page is what is kept, and it watches.
    if request.watched is not None or request.method not in ("GET", "HEAD"):
        return call()
    attempt = _Attempt(site, request, policy, call)
    handler = getattr(call, "func", call)
    return attempt.respond_async() if inspect.iscoroutinefunction(handler) else attempt.respond()


class _Attempt:
    """One request to one decorated handler."""

    def __init__(
        self, site: Site, request: Request, policy: PagePolicy, call: Callable[[], Any]
    ) -> None:
        self._site = site
        self._cache = site.cache
        self._request = request
        self._policy = policy
        self._call = call
        self._http = http = request.http
        query = http.query_params.multi_items()
        self._extra = undeclared(policy, [name for name, _ in query]) - request.query.keys()
        self._passed = policy.unless is not None and bool(policy.unless(request))
        self._allowed: frozenset[str] = frozenset()
        others = [("handler", _name_of(call))]
        others += [(f"query:{name}", _text(value)) for name, value in request.query.items()]
        if policy.key is not None and not self._passed:
            keyed = Sharing()
            with share(keyed):
                others.append(("key", _text(policy.key(request))))
            self._allowed = frozenset(keyed.reads)
        self._key = page_key(
            policy,
            method="GET",
            host=http.headers.get("host", ""),
            path=http.scope.get("root_path", "") + request.path,
            query=query,
            headers=http.headers.items(),
            others=others,
        )
        self._made: Made | None = None
        self._page: CachedPage | None = None
        self._began = time.time()
        # As the tags of pages are, so that what models publish means them too.
        self._tags = sorted(map(data_tag, policy.tags))
        self._options: dict[str, Any] = {"stale": policy.stale or None, "tags": self._tags}

    def respond(self) -> Response:
        """For a sync handler, in its thread."""
        if self._passed:
            return _uncached(self._call(), "unless")
        if self._extra:  # a parameter that the key does not hold: nobody else's page
            found = self._stored(self._cache.get(self._key))
            return found or _uncached(self._call(), "parameter")
        token = _here.set(self)
        try:
            value = self._cache.remember(
                self._key, self._policy.ttl, self._compute, **self._options
            )
            if self._own(value):
                self._made = self._making().make(self._call)
                if self._made.page is not None:  # it was somebody's own once, and is no more
                    self._cache.forget(self._key)
            elif self._made is not None and self._made.page is not None:
                check_held(self._cache, self._key, self._made.tags)
        finally:
            _here.reset(token)
        return self._finished()

    async def respond_async(self) -> Response:
        """For an async handler, on the loop."""
        if self._passed:
            return _uncached(await self._call(), "unless")
        if self._extra:
            found = self._stored(await self._cache.aget(self._key))
            return found or _uncached(await self._call(), "parameter")
        token = _here.set(self)
        try:
            value = await self._cache.aremember(
                self._key, self._policy.ttl, self._compute_async, **self._options
            )
            if self._own(value):
                self._made = await self._making().make_async(self._call)
                if self._made.page is not None:
                    await self._cache.aforget(self._key)
            elif self._made is not None and self._made.page is not None and self._made.tags:
                held = check_held, self._cache, self._key, self._made.tags
                await hop(self._cache.store.blocking, *held)
        finally:
            _here.reset(token)
        return self._finished()

    def _compute(self) -> Computed:
        if _here.get() is self:
            self._made = made = self._making().make(self._call)
            return self._computed(made)
        request, again = self._again()
        made = call_from_thread(
            lambda _: self._making(request).make(again), request, self._site.scopes
        )
        return self._refreshed(made)

    async def _compute_async(self) -> Computed:
        if _here.get() is self:
            self._made = made = await self._making().make_async(self._call)
            return self._computed(made)
        request, again = self._again()

        async def make(_: Request) -> Made:
            return await self._making(request).make_async(again)

        return self._refreshed(await call(make, request, self._site.scopes))

    def _making(self, request: Request | None = None) -> Making:
        return Making(
            self._cache,
            request or self._request,
            self._policy,
            key=self._key,
            allowed=self._allowed,
        )

    def _again(self) -> tuple[Request, Callable[[], Any]]:
        """The request and the call for a refresh: its own, for the first one's is answered."""
        old, http = self._request, self._http
        request = Request(
            http,
            site=old.site,
            params=old.params,
            visitor=self._site.visitor(http.scope),
            page_folder=old.page_folder,
        )
        request.query, request.user = dict(old.query), old.user
        request.state.update(old.state)
        handler = getattr(self._call, "func", self._call)
        given: tuple[Any, ...] = getattr(self._call, "args", ())
        named: dict[str, Any] = getattr(self._call, "keywords", {})
        arguments = [request if one is old else one for one in given]
        keywords = {name: request if one is old else one for name, one in named.items()}
        return request, functools.partial(handler, *arguments, **keywords)

    def _computed(self, made: Made) -> Computed:
        page = made.page
        if page is None:
            if made.private:
                return Computed(_PRIVATE, ttl=_PRIVATE_TTL)
            return Computed(None, store=False)
        ttl = page_ttl(self._policy, page.status)
        left = made.until - time.time()
        if ttl is None or left < ttl:
            ttl = None if left == inf else max(0.0, left)
        tags = sorted({*self._tags, *made.tags}) if made.tags else None
        return Computed(page.encode(), ttl=ttl, tags=tags)

    def _refreshed(self, made: Made) -> Computed:
        """A refresh that failed leaves the old page, as one by a visitor's request would not."""
        if made.error is not None:
            raise made.error
        if made.page is None and not made.private:
            raise AsokError(f"{self._http.url.path} could not be made anew: {made.reason}.")
        if made.page is not None and not check_held(self._cache, self._key, made.tags):
            return Computed(None, store=False)
        return self._computed(made)

    def _stored(self, value: Any) -> Response | None:
        """The answer to a request with parameters that the key does not hold."""
        page = None if value is None else CachedPage.decode(value)
        if page is None or not page.answers(self._extra):
            return None
        return self._answered(page, hit=True)

    def _own(self, value: Any) -> bool:
        """Whether an answer of the visitor's own is due: there is a mark, or no page at all."""
        if self._made is not None:
            return False
        self._page = CachedPage.decode(value)
        return self._page is None

    def _finished(self) -> Response:
        made = self._made
        if made is None:
            assert self._page is not None
            return self._answered(self._page, hit=True)
        if made.error is not None:
            raise made.error
        if made.page is not None:
            return self._answered(made.page, hit=False)
        assert made.response is not None
        made.response.headers["cache-status"] = cache_status(detail=made.reason)
        return made.response

    def _answered(self, page: CachedPage, *, hit: bool) -> Response:
        return kept_answer(
            page,
            self._request.visitor,
            policy=self._policy,
            if_none_match=self._http.headers.get("if-none-match"),
            hit=hit and page.stored_at < self._began,
            collapsed=hit,
        )


def _uncached(value: Any, why: str) -> Response:
    response = to_response(value, where="the handler under @cache_page")
    response.headers.setdefault("cache-status", f"asok; fwd=bypass; detail={why}")
    return response


def _name_of(call: Callable[[], Any]) -> str:
    """The handler's name: two of them never share a page."""
    handler = getattr(call, "func", call)
    return f"{getattr(handler, '__module__', '')}:{getattr(handler, '__qualname__', '')}"


def _text(value: Any) -> str:
    """A part of a key as text: different values, and values of different types, differ."""
    try:
        return dumps(value).decode()
    except CacheValueError as error:
        raise ConfigurationError(
            f"the key= of @cache_page returned {type(value).__name__}: {error.message}",
            fix="Return text, numbers, None or tuples of them, as request.user.id.",
        ) from error
