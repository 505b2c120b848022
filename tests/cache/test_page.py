"""`@cache_page` and its policy: what is stored, under which key, for which requests."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.cache import (
    Cache,
    CachedPage,
    PagePolicy,
    cache_page,
    page_key,
    page_ttl,
    storable,
    undeclared,
)
from asok.errors import CacheError, ConfigurationError
from asok.holes import Holed


class Request:
    """A request that remembers what was asked of it."""

    def __init__(self, stored: Any = None) -> None:
        self.policies: list[PagePolicy] = []
        self.stored = stored

    def cached_page(self, policy: PagePolicy, call: Callable[[], Any]) -> Any:
        self.policies.append(policy)
        return self.stored if self.stored is not None else call()


# The decorator


def test_the_documented_decorator() -> None:
    @cache_page(ttl=60)
    def render(request: Request) -> str:
        """The dashboard."""
        return "<h1>dashboard</h1>"

    request = Request()
    assert render(request) == "<h1>dashboard</h1>"
    assert request.policies == [PagePolicy(ttl=60.0)]
    assert render(Request(stored="stored")) == "stored"
    assert (render.__name__, render.__doc__) == ("render", "The dashboard.")
    assert render.__asok_cache_page__ == PagePolicy(ttl=60.0)  # type: ignore[attr-defined]  # pyright: ignore


def test_it_works_without_parentheses_and_with_positional_arguments() -> None:
    @cache_page
    def bare(request: Request) -> str:
        return "bare"

    @cache_page(30, "v2")
    def positional(request: Request, slug: str, *, n: int) -> str:
        return f"{slug} {n}"

    one, two = Request(), Request()
    assert bare(one) == "bare"
    assert one.policies[0].ttl == 60
    assert positional(two, "a", n=5) == "a 5"
    assert two.policies == [PagePolicy(ttl=30.0, key_prefix="v2")]


def test_a_coroutine_function_stays_one() -> None:
    @cache_page(ttl=timedelta(minutes=1))
    async def render(request: Request) -> str:
        await asyncio.sleep(0)
        return "async"

    assert inspect.iscoroutinefunction(render)
    assert asyncio.run(render(Request())) == "async"
    assert asyncio.run(render(Request(stored="stored"))) == "stored"


def test_generators_are_handed_through() -> None:
    @cache_page(ttl=5)
    def stream(request: Request) -> Iterator[str]:
        yield "a"

    @cache_page(ttl=5)
    async def stream_async(request: Request) -> AsyncIterator[str]:
        yield "a"

    assert list(stream(Request())) == ["a"]

    async def read() -> list[str]:
        return [part async for part in stream_async(Request())]

    assert asyncio.run(read()) == ["a"]


def test_methods_of_a_class_work() -> None:
    class View:
        @cache_page(ttl=5)
        def get(self, request: Request) -> str:
            return "view"

    request = Request()
    assert View().get(request) == "view"
    assert request.policies


def test_without_a_request_that_can_or_a_time_the_handler_answers() -> None:
    @cache_page(ttl=0)
    def never(request: Request) -> str:
        return "fresh"

    @cache_page(ttl=60)
    def render(request: object) -> str:
        return "fresh"

    request = Request(stored="stored")
    assert never(request) == "fresh"
    assert request.policies == []
    assert render(object()) == "fresh"


def test_options_are_brought_into_one_form() -> None:
    @cache_page(
        ttl=None,
        query=["page", "q", "page"],
        vary=["Accept-Language", "accept-language"],
        host=False,
        stale=timedelta(minutes=5),
        tags=["posts"],
        key=str,
        unless=bool,
    )
    def render(request: Request) -> str:
        return ""

    request = Request()
    render(request)
    assert request.policies == [
        PagePolicy(
            ttl=None,
            query=("page", "q"),
            headers=("accept-language",),
            host=False,
            stale=300.0,
            tags=("posts",),
            key=str,
            unless=bool,
        )
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"ttl": "60"},
        {"ttl": True},
        {"ttl": float("nan")},
        {"query": "page"},
        {"query": [5]},
        {"query": [""]},
        {"vary": "cookie"},
        {"tags": 5},
        {"key_prefix": 5},
        {"key_prefix": "x" * 201},
        {"stale": "5"},
        {"key": "theme"},
        {"unless": True},
    ],
)
def test_options_that_can_not_be_are_refused_where_they_are_written(
    options: dict[str, Any],
) -> None:
    with pytest.raises((ConfigurationError, CacheError)):
        cache_page(**options)


# Keys


def key(policy: PagePolicy | None = None, **parts: Any) -> str:
    given: dict[str, Any] = {"method": "GET", "host": "a.org", "path": "/", **parts}
    return page_key(policy or PagePolicy(), **given)


def test_different_requests_have_different_keys() -> None:
    policy = PagePolicy(query=("b", "page"), headers=("accept", "x"))
    keys = [
        key(policy, **parts)
        for parts in (
            {},
            {"method": "HEAD"},
            {"host": "b.org"},
            {"path": "/a"},
            {"path": "/ab=1"},
            {"path": "/a", "query": [("b", "1")]},
            {"path": "/a\n"},
            {"path": "/a\x00"},
            {"path": "/\ud800"},
            {"query": [("page", "")]},
            {"query": [("page", "1")]},
            {"query": [("page", "1"), ("page", "2")]},
            {"query": [("page", "2"), ("page", "1")]},
            {"query": [("page", "12")]},
            {"query": [("b", "1")]},
            {"query": [("page", "1value:1:2")]},
            {"headers": [("accept", "")]},
            {"headers": [("accept", "1")]},
            {"headers": [("x", "1")]},
            {"headers": [("x", "1"), ("x", "2")]},
            {"others": [("key", "1")]},
            {"others": [("key", '"1"')]},
            {"others": [("ke", "y1")]},
            {"others": [("key", "1"), ("key", "1")]},
        )
    ]
    assert len(set(keys)) == len(keys)
    prefixes = {key(PagePolicy(key_prefix=prefix)) for prefix in ("", "a", ":", "a:b", "page:")}
    assert len(prefixes) == 5


def test_what_is_not_declared_does_not_make_another_key() -> None:
    plain = key()
    assert key(query=[("utm_source", "x"), ("page", "2")]) == plain
    assert key(headers=[("cookie", "a=b"), ("x-forwarded-host", "evil")]) == plain
    assert key(host="A.ORG") == plain
    assert key(PagePolicy(host=False)) == key(PagePolicy(host=False), host="other.org")
    declared = PagePolicy(query=("a", "b"), headers=("accept",))
    assert key(declared, query=[("b", "1"), ("a", "2")]) == key(
        declared, query=[("a", "2"), ("x", "3"), ("b", "1")]
    )
    assert key(declared, headers=[("Accept", "x")]) == key(declared, headers=[("accept", "x")])


@given(
    st.lists(
        st.tuples(
            st.text(),
            st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.text()), max_size=3),
        ),
        min_size=2,
        max_size=2,
        unique_by=repr,
    )
)
def test_keys_are_equal_only_for_equal_declared_parts(requests: list[Any]) -> None:
    policy = PagePolicy(query=("a", "b"))

    def parts(path: str, query: list[tuple[str, str]]) -> Any:
        return path, [[v for n, v in query if n == name] for name in policy.query]

    one, two = (
        (key(policy, path=path, query=query), parts(path, query)) for path, query in requests
    )
    assert (one[0] == two[0]) == (one[1] == two[1])


def test_every_key_is_one_that_a_cache_takes() -> None:
    cache = Cache()
    name = key(PagePolicy(key_prefix="🙂" * 200), path="/" + "x" * 100_000)
    assert cache.set(name, 1)


# Query parameters that nobody declared


def page(reads: tuple[str, ...] | None) -> CachedPage:
    return CachedPage(status=200, headers=(), body=Holed((b"page 1",)), stored_at=0.0, reads=reads)


def test_an_undeclared_parameter_is_never_answered_with_another_page() -> None:
    policy = PagePolicy(query=("q",))
    assert undeclared(policy, ["q"]) == frozenset()
    assert undeclared(policy, ["page", "q", "utm_source"]) == {"page", "utm_source"}
    assert not page(None).answers({"page"}), "nobody watched: the handler may have read it"
    assert not page(("page",)).answers({"page"}), "it looked for it"
    assert page(("page",)).answers({"utm_source"}), "it did not look for that one"
    assert page(()).answers({"page", "utm_source"})
    assert all(page(reads).answers(()) for reads in (None, (), ("page",)))


# What may be stored


@pytest.mark.parametrize(
    ("method", "status", "stored"),
    [
        *(("GET", status, True) for status in (200, 203, 301, 308, 404)),
        *(
            ("GET", status, False)
            for status in (100, 201, 202, 204, 206, 302, 303, 304, 307, 400, 401, 403, 410, 500)
        ),
        ("HEAD", 200, True),
        *((method, 200, False) for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get")),
    ],
)
def test_methods_and_statuses(method: str, status: int, stored: bool) -> None:
    assert (storable(method, status, []) is None) == stored


SECRET = [
    ("Set-Cookie", "a=b"),
    ("set-cookie", ""),
    ("SET-COOKIE ", "a=b"),
    ("Cache-Control", "private"),
    ("Cache-Control", "Private"),
    ("cache-control", "max-age=60, PRIVATE"),
    ("cache-control", ' max-age=60 ,\tprivate = "x-user" '),
    ("Cache-Control", "no-store"),
    ("Cache-Control", "No-Cache"),
    ("Cache-Control", "public,no-store=1"),
    ("Vary", "*"),
    ("Vary", " * "),
    ("vary", "Accept, *"),
    ("vary", "\t*\t"),
    ("Vary", "Authorization"),
    ("Vary", "Cookie"),
    ("Vary", "accept-language, X-Other"),
    ("Vary", "Accept-Encoding"),
]


@pytest.mark.parametrize(("name", "value"), SECRET)
def test_an_answer_for_one_visitor_is_not_stored(name: str, value: str) -> None:
    policy = PagePolicy(headers=("accept", "accept-language"))
    reason = storable("GET", 200, [("content-type", "text/html"), (name, value)], policy=policy)
    assert reason
    assert storable("GET", 200, [(name, value)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cache-Control", "public, max-age=60"),
        ("Cache-Control", "x-private, notprivate"),
        ("Cache-Control", ""),
        ("Vary", ""),
        ("Vary", " , "),
        ("Vary", "Accept-Language ,ACCEPT"),
        ("X-Cookie", "set-cookie"),
    ],
)
def test_an_answer_for_everybody_is_stored(name: str, value: str) -> None:
    policy = PagePolicy(headers=("accept", "accept-language"))
    assert storable("GET", 200, [(name, value)], policy=policy) is None


def test_an_answer_that_depends_on_the_visitor_is_not_stored() -> None:
    reason = storable("GET", 200, [], read=("session", "header:origin"))
    assert reason == "it depends on header:origin, session, which is no part of its key"


def test_a_404_is_kept_for_a_short_time_only() -> None:
    policies = [PagePolicy(ttl=ttl) for ttl in (None, 5.0, 3600.0)]
    kept = [page_ttl(policy, status) for policy, status in product(policies, (200, 404))]
    assert kept == [None, 10.0, 5.0, 5.0, 3600.0, 10.0]


def test_a_coroutine_function_is_no_key() -> None:
    async def key(request: Request) -> str:
        return "x"

    with pytest.raises(ConfigurationError, match="plain function"):
        cache_page(key=key)
