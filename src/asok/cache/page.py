"""Whole pages in the cache: the decorator `@cache_page`, and what may be stored under which key.

This knows no framework. The decorated handler asks its request for `cached_page(policy, call)`,
where `call()` is the handler itself; whoever binds a web framework implements that with the
functions here and `page_record`. A request without it gets the handler's own answer.

**Query parameters.** Only those named in `query=(…)` join the key, so nobody can fill the
cache with `?x=1`, `?x=2`, …. A request with others is safe, too: it is answered by a stored
page only if the handler is known not to have read them (`CachedPage.reads`), and otherwise
straight from the handler, without storing. So `?page=2` of an undeclared `page` is never
answered with page 1, and `?utm_source=…` is a hit where the handler looks at no query at all.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, TypeVar, cast, overload

from asok.cache.api import TTL, grace, seconds
from asok.errors import ConfigurationError

__all__ = ["PagePolicy", "cache_page", "page_key", "page_ttl", "storable", "undeclared"]

Handler = TypeVar("Handler", bound=Callable[..., Any])

#: Seconds that a 404 is kept at most: what does not exist yet may be made any moment.
_NOT_FOUND_TTL = 10.0
_METHODS = ("GET", "HEAD")
_STATUSES = (200, 203, 301, 308, 404)
_PREFIX_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePolicy:
    """How a handler's pages are cached. `ttl` and `stale` are seconds (`ttl=None`: for ever).

    `query` and `headers` (lower case) name what the page depends on besides its path; `host`
    says whether it depends on the host as well. `key` and `unless` are functions of the request:
    what else joins the key, and for whom the cache is passed by.
    """

    ttl: float | None = 60.0
    key_prefix: str = ""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    host: bool = True
    stale: float = 0.0
    tags: tuple[str, ...] = ()
    key: Callable[[Any], Any] | None = None
    unless: Callable[[Any], Any] | None = None


@overload
def cache_page(ttl: Handler, /) -> Handler: ...
@overload
def cache_page(
    ttl: TTL = 60,
    key_prefix: str = "",
    *,
    query: Sequence[str] = (),
    vary: Sequence[str] = (),
    host: bool = True,
    stale: TTL = None,
    tags: Sequence[str] = (),
    key: Callable[[Any], Any] | None = None,
    unless: Callable[[Any], Any] | None = None,
) -> Callable[[Handler], Handler]: ...
def cache_page(
    ttl: Any = 60,
    key_prefix: str = "",
    *,
    query: Sequence[str] = (),
    vary: Sequence[str] = (),
    host: bool = True,
    stale: TTL = None,
    tags: Sequence[str] = (),
    key: Callable[[Any], Any] | None = None,
    unless: Callable[[Any], Any] | None = None,
) -> Any:
    """Cache the answers of a handler to GET and HEAD for `ttl` (seconds or a timedelta).

        @cache_page(ttl=60)
        def render(request): ...

    `query` names the query parameters and `vary` the request headers that the page depends
    on. With `host=False` all hosts share one page. `stale` is how long an old page may be
    served while a new one is made; `tags` name it for `cache.forget_tags`. `key_prefix` keeps
    pages of one handler apart, or drops all old ones when it is changed.

    `key` is a function of the request whose value (text, numbers, None, tuples of them) joins
    the key: what it read of the visitor, the handler may read too. `unless` is a function of the
    request that is true for those who are answered without the cache.

    Raises `ConfigurationError` for options that can't be.
    """
    if callable(ttl) and not isinstance(ttl, timedelta):
        return _wrapped(cast("Callable[..., Any]", ttl), PagePolicy())
    policy = PagePolicy(
        ttl=seconds(ttl),
        key_prefix=_prefix(key_prefix),
        query=_names("query", query),
        headers=tuple(sorted({name.lower() for name in _names("vary", vary)})),
        host=host,
        stale=grace(stale),
        tags=_names("tags", tags),
        key=_function("key", key),
        unless=_function("unless", unless),
    )
    return functools.partial(_wrapped, policy=policy)


def _prefix(value: object) -> str:
    if not isinstance(value, str) or len(value) > _PREFIX_LIMIT:
        raise ConfigurationError(
            f"cache_page got key_prefix={value!r}, expected a str of at most {_PREFIX_LIMIT} "
            "characters."
        )
    return value


def _function(option: str, value: object) -> Callable[[Any], Any] | None:
    if value is None:
        return None
    if not callable(value) or inspect.iscoroutinefunction(value):
        raise ConfigurationError(
            f"cache_page got {option}={value!r}, expected a plain function of the request.",
            fix=f"For example {option}=lambda request: request.cookies.get('theme').",
        )
    return value


def _names(option: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigurationError(
            f"cache_page got {option}={value!r}, expected several names.",
            fix=f"For example {option}=('page',).",
        )
    names = cast("Sequence[object]", value)
    if not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(
            f"cache_page got {option}={value!r}, expected names that are not empty."
        )
    return tuple(sorted({str(name) for name in names}))


def _wrapped(handler: Callable[..., Any], policy: PagePolicy) -> Callable[..., Any]:
    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = next((arg for arg in args if hasattr(arg, "cached_page")), None)
        if request is None or (policy.ttl is not None and policy.ttl <= 0):
            return handler(*args, **kwargs)
        return request.cached_page(policy, functools.partial(handler, *args, **kwargs))

    if inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            answer = ask(args, kwargs)
            return await answer if inspect.isawaitable(answer) else answer

        wrapper: Any = call_async
    else:

        @functools.wraps(handler)
        def call(*args: Any, **kwargs: Any) -> Any:
            return ask(args, kwargs)

        wrapper = call
    wrapper.__asok_cache_page__ = policy
    return wrapper


def page_key(
    policy: PagePolicy,
    *,
    method: str,
    host: str,
    path: str,
    query: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    others: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the key of a request's page: different requests never share one.

    `query` are the parsed parameters and `headers` the request's; only what the policy
    declares counts. `others` are further parts, a kind and a text each. A missing parameter and
    an empty one differ, and so do `?a=1&a=2` and `?a=2&a=1`. Every part goes into the digest
    with its kind and length, so no two lists of parts are the same bytes (`/a?b=1` and `/ab=1`,
    a newline, a NUL).
    """
    parts: list[tuple[str, str]] = [("method", method), ("path", path)]
    if policy.host:
        parts.append(("host", host.lower()))
    for name in policy.query:
        parts.append(("query", name))
        parts.extend(("value", value) for given, value in query if given == name)
    for name in policy.headers:
        parts.append(("header", name))
        parts.extend(("value", value) for given, value in headers if given.lower() == name)
    parts.extend((f"other-{kind}", text) for kind, text in others)
    digest = blake2b(digest_size=32)
    for kind, text in parts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(b"%s:%d:" % (kind.encode(), len(data)))
        digest.update(data)
    return f"page:{policy.key_prefix}:{digest.hexdigest()}"


def undeclared(policy: PagePolicy, query: Collection[str]) -> frozenset[str]:
    """The names of query parameters in a request that are no part of its page's key."""
    return frozenset(query).difference(policy.query)


def storable(
    method: str,
    status: int,
    headers: Sequence[tuple[str, str]],
    *,
    policy: PagePolicy | None = None,
    read: Collection[str] = (),
) -> str | None:
    """Return why an answer may not be stored for others, or None where it may.

    `headers` are the answer's. `read` names what the handler read of the visitor and the key
    does not hold: `session`, `cookies`, `user`, `header:origin`, `query:page`, ….
    """
    if method not in _METHODS:
        return f"the method is {method}"
    if status not in _STATUSES:
        return f"the status is {status}"
    if read:
        return f"it depends on {', '.join(sorted(read))}, which is no part of its key"
    declared = policy.headers if policy is not None else ()
    for name, value in headers:
        reason = _refusal(name.strip().lower(), value, declared)
        if reason is not None:
            return reason
    return None


def _refusal(name: str, value: str, declared: Collection[str]) -> str | None:
    """Why one header of an answer keeps it from being stored."""
    if name == "set-cookie":
        return "it sets a cookie"
    if name == "cache-control":
        # RFC 9111, 5.2.2: names in any case, some with arguments (`private="x-user"`).
        for directive in value.split(","):
            found = directive.partition("=")[0].strip().lower()
            if found in ("private", "no-store", "no-cache"):
                return f"its Cache-Control says {found}"
    if name == "vary":
        for field in value.split(","):
            found = field.strip().lower()
            if found and found not in declared:
                return f"it varies on {found}, which is no part of its key"
    return None


def page_ttl(policy: PagePolicy, status: int) -> float | None:
    """Seconds that an answer of this status is kept, None for ever."""
    if status != 404:
        return policy.ttl
    return _NOT_FOUND_TTL if policy.ttl is None else min(policy.ttl, _NOT_FOUND_TTL)
