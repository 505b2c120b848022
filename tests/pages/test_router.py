"""Paths in, routes and values out, and exactly one address for each page."""

from __future__ import annotations

import string
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.errors import RouteError
from asok.pages import Match, Route, Router, encode_path
from asok.pages.kinds import KINDS, value_text
from asok.pages.pattern import parse
from asok.pages.precedence import order

ID = "0c0ffee0-0000-4000-8000-000000000001"


def routes(*patterns: str) -> list[Route]:
    return [
        Route(
            parse([name for name in pattern.split("/") if name], Path(pattern)),
            Path(pattern),
            template=Path(pattern) / "page.html",
        )
        for pattern in patterns
    ]


@pytest.fixture
def router() -> Router:
    return Router(
        routes(
            "/",
            "/about",
            "/about/[...more]",
            "/[id:int]",
            "/[n:float]",
            "/[u:uuid]",
            "/[s:slug]",
            "/[name]",
            "/[name]/edit",
            "/blog/[slug]",
            "/blog/[id:int]/[x]",
            "/[a]/[b]/end",
            "/[...rest]",
            "/café",
        )
    )


@pytest.mark.parametrize(
    ("path", "pattern", "params"),
    [
        ("/", "/", {}),
        ("/about", "/about", {}),
        ("/about/a/b", "/about/[...more]", {"more": "a/b"}),
        ("/7", "/[id:int]", {"id": 7}),
        ("/-7", "/[id:int]", {"id": -7}),
        ("/0", "/[id:int]", {"id": 0}),
        ("/1.5", "/[n:float]", {"n": 1.5}),
        ("/0.00001", "/[n:float]", {"n": 0.00001}),
        (f"/{ID}", "/[u:uuid]", {"u": UUID(ID)}),
        ("/01", "/[s:slug]", {"s": "01"}),
        ("/a_b-C", "/[s:slug]", {"s": "a_b-C"}),
        ("/1.50", "/[name]", {"name": "1.50"}),
        ("/-0", "/[s:slug]", {"s": "-0"}),
        ("/x y", "/[name]", {"name": "x y"}),
        ("/100%", "/[name]", {"name": "100%"}),
        ("/x/edit", "/[name]/edit", {"name": "x"}),
        ("/blog/hello", "/blog/[slug]", {"slug": "hello"}),
        ("/blog/1/2", "/blog/[id:int]/[x]", {"id": 1, "x": "2"}),
        ("/blog/z/end", "/[a]/[b]/end", {"a": "blog", "b": "z"}),
        ("/blog/z/other", "/[...rest]", {"rest": "blog/z/other"}),
        ("/café", "/café", {}),
        ("/" + "x" * 255, "/[s:slug]", {"s": "x" * 255}),
    ],
)
def test_a_path_finds_the_most_specific_page(
    router: Router, path: str, pattern: str, params: dict[str, object]
) -> None:
    match = router.match(path)
    assert match is not None
    assert (match.route.pattern, dict(match.params), match.path) == (pattern, params, path)
    assert all(type(match.params[name]) is type(value) for name, value in params.items())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "about",
        "//",
        "/about/",
        "//about",
        "/about//x",
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a\\b",
        "/a\x00b",
        "/a\nb",
        "/a\x7f",
        "/a\x85",
        "/a\udc80",
        "/cafe\u0301",
        "/\u212a",  # the Kelvin sign, whose NFC is K
        "/" + "x" * 256,
        "/" + "é" * 128,
        "/a" * 2000,
        "/%61dmin",
        "/x/%2e%2E",
    ],
)
def test_other_forms_of_a_path_are_no_page(router: Router, path: str) -> None:
    assert router.match(path) is None


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/about/", "/about"),
        ("/cafe\u0301", "/caf%C3%A9"),
        ("/cafe\u0301/", "/caf%C3%A9"),
        ("/about", None),
        ("/", None),
        ("", None),
        ("//", None),
        ("//evil.example/", None),
        ("/about//", None),
        ("/x" * 2000 + "/", None),
    ],
)
def test_a_trailing_slash_and_decomposed_text_are_led_to_the_one_address(
    router: Router, path: str, target: str | None
) -> None:
    assert router.redirect(path) == target


@pytest.fixture
def slashed() -> Router:
    found = routes("/", "/about", "/blog/[slug]", "/feed.xml", "/docs/[...path]", "/x/[id:int]")
    return Router(found, trailing_slash=True)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/", "/"),
        ("/about", "/about/"),
        ("/about/", "/about/"),
        ("/blog/cafe\u0301", "/blog/caf\u00e9/"),
        ("/blog/v1.2", "/blog/v1.2/"),
        ("/feed.xml", "/feed.xml"),
        ("/feed.xml/", "/feed.xml"),
        ("/docs/a/b", "/docs/a/b/"),
        ("/about//", None),
        ("//", None),
        ("", None),
        ("/nowhere", None),
        ("/x/01/", None),
    ],
)
def test_paths_end_with_a_slash_where_the_site_says_so(
    slashed: Router, path: str, canonical: str | None
) -> None:
    assert slashed.canonical(path) == canonical
    match = slashed.match(path)
    assert (match is not None) == (path == canonical)
    moved = slashed.redirect(path)
    assert moved == (None if canonical in (None, path) else encode_path(canonical or ""))
    if match is not None:
        assert (match.path, match.key) == (path, path)
        assert slashed.path(match.route, match.params) == path


def test_links_have_the_slash_that_the_site_has(slashed: Router) -> None:
    assert slashed.url("/") == "/"
    assert slashed.url("/blog/[slug]", {"slug": "\u00e9"}) == "/blog/%C3%A9/"
    assert slashed.url("/feed.xml") == "/feed.xml"
    assert Router(slashed.routes).url("/about") == "/about"


def test_a_path_that_only_another_type_takes_is_no_page() -> None:
    router = Router(routes("/[id:int]", "/x/[u:uuid]", "/y/[n:float]", "/z/[s:slug]"))
    for path in ("/01", "/1.0", "/٣", "/" + "9" * 19, f"/x/{ID.upper()}", "/y/1e5", "/y/nan"):
        assert router.match(path) is None, path
    for path in ("/y/-0", "/y/1.0", "/z/é", "/z/a.b", "/x/1"):
        assert router.match(path) is None, path


def test_a_url_is_built_from_values_and_encoded(router: Router) -> None:
    assert router.url("/blog/[slug]", {"slug": "a b/c"[:3]}) == "/blog/a%20b"
    assert router.url("/[u:uuid]", {"u": UUID(ID)}) == f"/{ID}"
    assert router.url("/[n:float]", {"n": 100.0}) == "/100"
    assert router.url("/[n:float]", {"n": -0.0}) == "/0"
    assert router.url("/[name]", {"name": 7}) == "/7"
    assert router.url("/[name]", {"name": "cafe\u0301"}) == "/caf%C3%A9"
    assert router.url("/about/[...more]", {"more": "a/b"}) == "/about/a/b"
    assert router.url("/") == "/"


@pytest.mark.parametrize(
    ("pattern", "params", "message"),
    [
        ("/blog/[slug]", {}, "'slug' is missing"),
        ("/blog/[slug]", {"slug": "a", "id": 1}, "'id' is not a parameter"),
        ("/[id:int]", {"id": True}, "can't stand for"),
        ("/[id:int]", {"id": "01"}, "integer"),
        ("/[id:int]", {"id": 10**18}, "integer"),
        ("/[n:float]", {"n": float("nan")}, "finite"),
        ("/[n:float]", {"n": 1e300}, "finite"),
        ("/[name]", {"name": ""}, "not empty"),
        ("/[name]", {"name": ".."}, "not '.'"),
        ("/[name]", {"name": "a/b"}, "no slash"),
        ("/[name]", {"name": None}, "can't stand for"),
        ("/[s:slug]", {"s": "é"}, "a-z"),
        ("/[...rest]", {"rest": "a//b"}, "joined"),
        ("/[u:uuid]", {"u": "x"}, "UUID"),
        ("/blgo/[slug]", {}, "Did you mean /blog/"),
    ],
)
def test_a_url_with_other_parameters_is_refused(
    router: Router, pattern: str, params: dict[str, object], message: str
) -> None:
    with pytest.raises(RouteError, match=message):
        router.url(pattern, params)


def test_an_unknown_pattern_without_neighbours_has_no_suggestion() -> None:
    with pytest.raises(RouteError) as caught:
        Router(routes("/about")).route("/zzzzzz")
    assert caught.value.fix is None


def test_near_pages_are_suggested() -> None:
    router = Router(routes("/", "/about", "/blog/[slug]", "/docs/[...path]", "/contact"))
    assert router.nearest("/abuot") == ["/about"]
    assert router.nearest("/blgo/hello-world") == ["/blog/[slug]"]
    assert router.nearest("/dcos/a/b/c") == ["/docs/[...path]"]
    assert router.nearest("/About/") == ["/about"]
    assert router.nearest("/" + "q" * 5000) == []


def test_links_keep_the_characters_that_paths_may_hold() -> None:
    assert encode_path("/a~b/c:d@e,f+g=h") == "/a~b/c:d@e,f+g=h"
    assert encode_path('/a?b#c%"') == "/a%3Fb%23c%25%22"


SEGMENTS = st.sampled_from(["a", "b", "[x]", "[x:int]", "[x:slug]"])
PATTERNS = st.lists(
    st.lists(SEGMENTS, max_size=3).map(
        lambda parts: "/" + "/".join(part.replace("x", f"x{i}") for i, part in enumerate(parts))
    ),
    max_size=8,
)
PATHS = st.lists(st.sampled_from(["a", "b", "c", "1", "é"]), max_size=3).map(
    lambda parts: "/" + "/".join(parts)
)


def slow_match(found: list[Route], path: str) -> Route | None:
    """The meaning of precedence: the first route of the ordered ones that fits."""
    texts = [text for text in path.split("/") if text]
    for route in order(found):
        if len(route.segments) == len(texts) and all(
            part.name == text if part.kind == "static" else KINDS[part.kind](text) is not None
            for part, text in zip(route.segments, texts, strict=True)
        ):
            return route
    return None


@given(patterns=PATTERNS, path=PATHS)
def test_the_tree_finds_what_trying_every_route_in_order_finds(
    patterns: list[str], path: str
) -> None:
    unique = {tuple((s.kind, s.kind == "static" and s.name) for s in r.segments): r
              for r in routes(*patterns)}  # fmt: skip
    found = list(unique.values())
    match = Router(found).match(path)
    assert (match.route if match else None) is slow_match(found, path)


TEXTS = st.text(alphabet=st.characters(), min_size=1, max_size=20) | st.text(
    alphabet=string.digits + ".-", min_size=1, max_size=8
)


@given(text=TEXTS)
def test_every_matched_path_is_the_one_that_its_values_build(text: str) -> None:
    router = Router(routes("/[id:int]", "/[n:float]", "/[u:uuid]", "/[s:slug]", "/[name]"))
    match: Match | None = router.match("/" + text)
    if match is not None:
        assert match.route.path(match.params) == match.path


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_in_a_path_comes_back_as_the_same_float(value: float) -> None:
    text = value_text("float", value)
    if text is not None:
        assert KINDS["float"](text) == value
