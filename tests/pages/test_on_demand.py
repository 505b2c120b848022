"""What may be revalidated, under which names, and what the store is told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import asok
from asok.errors import ConfigurationError, RevalidationError
from asok.pages import (
    DiskStore,
    OnDemand,
    PageOptions,
    Route,
    Router,
    configure_on_demand,
    data_tag,
    path_tag,
    publish_tags,
    route_tag,
)

from .conftest import MakePage
from .test_router import routes

PATTERNS = (
    "/",
    "/about",
    "/blog/[slug]",
    "/listed/[slug]",
    "/contact",
    "/straße",
    "/files/[...path]",
)
SSG = PageOptions(ssg=True)


def options(route: Route) -> PageOptions:
    if route.pattern == "/contact":
        return PageOptions()
    if route.pattern == "/listed/[slug]":
        return PageOptions(ssg=True, fallback="404")
    return SSG


class Asked:
    """A store that writes down what it is told."""

    def __init__(self) -> None:
        self.tags: list[tuple[str, bool]] = []

    def invalidate_tag(self, tag: str, now: float, *, block: bool) -> bool:
        assert now == 5.0
        self.tags.append((tag, block))
        return tag != "lost"

    def listed(self, key: str) -> bool | None:
        return {"/listed/one": True, "/listed/new": False}.get(key)


def on_demand(store: object | None = None, base_url: str = "") -> OnDemand:
    return OnDemand(
        Router(routes(*PATTERNS)),
        options,
        store=store,  # type: ignore[arg-type]
        base_url=base_url,
        clock=lambda: 5.0,
    )


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("/", "/"),
        ("/about", "/about"),
        ("/about/", "/about"),
        ("/about?page=2", "/about"),
        ("/about#top", "/about"),
        ("/about?from=https://example.com/x", "/about"),
        ("/%61bout", "/about"),
        ("/blog/a b", "/blog/a b"),
        ("/blog/a%20b", "/blog/a b"),
        ("/blog/50%", "/blog/50%"),
        ("/blog/50%25", "/blog/50%"),
        ("/blog/caf\u00e9", "/blog/caf\u00e9"),
        ("/blog/cafe\u0301", "/blog/caf\u00e9"),
        ("/blog/cafe%CC%81/", "/blog/caf\u00e9"),
        ("/stra%C3%9Fe", "/straße"),
        ("/files/a/b/", "/files/a/b"),
        ("/blog/[slug]", "/blog/[slug]"),
        ("/blog/[slug]/", "/blog/[slug]"),
        ("/files/[...path]", "/files/[...path]"),
        ("/files/[x]", "/files/[x]"),
    ],
)
def test_a_path_is_read_as_a_requests_is(given: str, name: str) -> None:
    assert on_demand().resolve(given).name == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("https://example.org/site/about", "/about"),
        ("https://EXAMPLE.org:443/site/about?utm=1#top", "/about"),
        ("http://example.org/site/about", "/about"),
        ("//example.org/site/blog/x", "/blog/x"),
        ("https://example.org/site", "/"),
        ("https://example.org/site/", "/"),
        ("/site/about/", "/about"),
        ("/site", "/"),
        ("/about", "/about"),
        ("/site/blog/[slug]", "/blog/[slug]"),
    ],
)
def test_an_address_of_this_site_loses_its_mount(given: str, name: str) -> None:
    assert on_demand(base_url="https://example.org/site").resolve(given).name == name


@pytest.mark.parametrize(
    "given",
    [
        "https://example.com/about",
        "https://example.org:8443/about",
        "ftp://example.org/about",
        "https://user@other.org/about",
    ],
)
def test_an_address_of_another_site_is_refused(given: str) -> None:
    with pytest.raises(RevalidationError, match="is not on this site, which is https") as caught:
        on_demand(base_url="https://example.org").resolve(given)
    assert "path alone" in (caught.value.fix or "")


def test_an_address_needs_to_know_where_this_site_is() -> None:
    with pytest.raises(RevalidationError, match="BASE_URL, which says where it is, is empty"):
        on_demand().resolve("https://example.org/about")


@pytest.mark.parametrize(
    ("given", "message", "fix"),
    [
        ("/abuot", "no page answers '/abuot'", "Did you mean /about?"),
        ("/blog", "no page answers", "asok routes"),
        ("/blgo/x", "no page answers", "/blog/[slug]"),
        ("/blog/[slgu]/x", "no page answers", "asok routes"),
        ("/blog//", "no page answers", "asok routes"),
        ("/blog/%FF", "no page answers", "/blog/[slug]"),
        ("/blog/\ud800", "no page answers", "/blog/[slug]"),
        ("/blog/%00", "no page answers", "/blog/[slug]"),
        ("/blog/..%2fabout", "no page answers", "/blog/[slug]"),
        ("/files/a%2Fb", "no page answers", "/files/[...path]"),
        ("/blog/%2541", "no page answers", "/blog/[slug]"),
        ("/" + "x" * 3000, "…", "asok routes"),
        ("http://[", "is no address", ""),
        ("http://x:99999/", "is no address", ""),
        ("about", "doesn't begin with a slash", 'Write "/about".'),
        ("", "it is empty", "Give the path"),
        (None, "it is NoneType, expected text", "Give the path"),
        (b"/about", "it is bytes, expected text", "Give the path"),
        ("/contact", "is made for every request", "SSG = True"),
        ("/listed/new", 'FALLBACK = "404"', "asok build"),
    ],
)
def test_what_no_stored_page_answers_is_refused_and_explained(
    given: object, message: str, fix: str
) -> None:
    store = Asked()
    with pytest.raises(RevalidationError) as caught:
        on_demand(store, "http://x").revalidate_path(given)  # type: ignore[arg-type]
    assert message in caught.value.message
    assert fix in (caught.value.fix or "")
    assert store.tags == []


def test_the_nearest_patterns_are_data_too() -> None:
    with pytest.raises(RevalidationError) as caught:
        on_demand().resolve("/abuot")
    assert caught.value.nearest == ("/about",)


def test_a_listed_path_and_its_pattern_may_be_revalidated() -> None:
    store = Asked()
    made = on_demand(store)
    made.revalidate_path("/listed/one")
    made.revalidate_path("/listed/[slug]")
    assert [tag for tag, _ in store.tags] == [path_tag("/listed/one"), route_tag("/listed/[slug]")]


def test_who_could_not_be_told_is_not_passed_over() -> None:
    store = Asked()
    assert not on_demand(store).revalidate_tags(("lost", "posts"))
    assert store.tags == [("lost", False), ("posts", False)]
    assert on_demand(store).revalidate_tags(("posts",))


@pytest.mark.parametrize("block", [True, False])
def test_the_store_is_told_the_tag_of_the_path_the_pattern_or_the_tag(block: bool) -> None:
    store = Asked()
    made = on_demand(store)
    made.revalidate_path("/about/", block=block)
    made.revalidate_path("/blog/[slug]", block=block)
    made.revalidate_tag("posts", block=block)
    assert store.tags == [
        (path_tag("/about"), block),
        (route_tag("/blog/[slug]"), block),
        ("posts", block),
    ]


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("", "it is empty"),
        (" \t", "it is empty"),
        (None, "it is NoneType"),
        (3, "it is int"),
        ("x" * 129, "129 characters"),
        ("a\nb", "it holds a control character"),
        (path_tag("/about"), "it holds a control character"),
        ("\ud800", "it holds a control character"),
    ],
)
def test_what_can_be_no_tag_is_refused(tag: object, message: str) -> None:
    store = Asked()
    with pytest.raises(RevalidationError) as caught:
        on_demand(store).revalidate_tag(tag)  # type: ignore[arg-type]
    assert message in caught.value.message
    assert store.tags == []


def test_in_development_it_is_checked_and_nothing_is_done() -> None:
    made = on_demand(None)
    made.revalidate_path("/listed/new")  # nothing was built, so nothing is known of it
    made.revalidate_path("/blog/[slug]")
    made.revalidate_tag("posts")
    with pytest.raises(RevalidationError):
        made.revalidate_path("/nothing")
    with pytest.raises(RevalidationError):
        made.revalidate_tag("")


def test_every_query_of_a_path_is_meant_and_no_other_path(tmp_path: Path, page: MakePage) -> None:
    store = DiskStore(tmp_path / "ssg_cache", fingerprint="f")
    for key in ("/about", "/about\0page=2", "/blog/about"):
        store.put(page(key))
    made = OnDemand(Router(routes(*PATTERNS)), options, store=store)
    made.revalidate_path("/about")
    assert store.look("/about")[1].invalidated == "stale"
    assert store.look("/about\0page=2")[1].invalidated == "stale"
    assert store.look("/blog/about")[1].invalidated == ""
    made.revalidate_path("/about", block=True)
    assert store.look("/about\0page=2")[1].invalidated == "block"


@pytest.fixture
def configured() -> Iterator[Asked]:
    store = Asked()
    configure_on_demand(on_demand(store))
    yield store
    configure_on_demand(None)


def test_public_functions_act_on_the_application(configured: Asked) -> None:
    asok.revalidate_path("/about")
    asok.revalidate_tag("posts", block=True)
    assert configured.tags == [(path_tag("/about"), False), ("posts", True)]


def test_what_models_publish_is_passed_on_without_what_can_be_no_tag(configured: Asked) -> None:
    publish_tags(["posts", "post:a\nb", "post:cafe\u0301", "post:" + "x" * 200])
    assert configured.tags[:2] == [("posts", False), ("post:caf\u00e9", False)]
    assert configured.tags[2:] == [(data_tag("post:" + "x" * 200), False)]


def test_without_an_application_the_functions_say_so() -> None:
    configure_on_demand(None)
    for call in (asok.revalidate_path, asok.revalidate_tag):
        with pytest.raises(ConfigurationError, match=f"{call.__name__} was called") as caught:
            call("/about")
        assert "Asok()" in (caught.value.fix or "")
    publish_tags(["posts"])  # a model may be used without an application


@settings(deadline=None)
@given(st.text() | st.from_regex(r"(https?:)?//[a-z.:@\[\]0-9/?#%]*"))
def test_whatever_is_given_is_a_page_or_refused(text: str) -> None:
    for made in (on_demand(), on_demand(base_url="https://example.org:8000/site")):
        for path in (text, f"/blog/{text}", f"/site/{text}"):
            with contextlib.suppress(RevalidationError):
                found = made.resolve(path)
                assert found.path is None or Router(routes(*PATTERNS)).match(found.path)


@pytest.mark.parametrize("given", ["/about", "/about/", "/about/?x", "https://example.org/about"])
def test_a_site_whose_paths_end_with_a_slash_is_asked_in_any_form(given: str) -> None:
    router = Router(routes(*PATTERNS), trailing_slash=True)
    made = OnDemand(router, options, store=None, base_url="https://example.org")
    assert made.resolve(given).path == "/about/"
