from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asok.pages.outline import Outline, candidates, hides_from_robots, srcset_urls


def links(html: str) -> list[str]:
    return [str(link) for link in Outline(html.encode()).links()]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="/x">',
        "<A HREF='/x'>",
        "<a href=/x>",
        '<a href = "/x">',
        '<a\nhref\n\n=\n"/x">',
        '<a class="k"href="/x">',
        '<a title="href=" href="/x">',
        '<link rel="stylesheet" href="/x">',
        '<script src="/x"></script>',
        '<img src="/x">',
        '<video poster="/x"></video>',
        '<picture><source srcset="/x 2x, /x 3x"></picture>',
        '<link rel="preload" imagesrcset="/x 1x">',
        '<form action="/x"></form>',
        '<map><area href="/x"></map>',
        '<iframe src="/x"></iframe>',
        '<svg><use href="/x"/></svg>',
        '<svg><use xlink:href="/x"/></svg>',
        '<a href=" /x ">',
    ],
)
def test_link_is_found_by_both_readers(html: str) -> None:
    assert {link.value for link in Outline(html.encode()).links()} == {"/x"}
    assert "/x" in candidates(html.encode())


def test_character_references_are_resolved() -> None:
    html = b'<a href="/search?a=1&amp;b=2">'
    assert candidates(html) == {"/search?a=1&b=2"}
    assert [link.value for link in Outline(html).links()] == ["/search?a=1&b=2"]


def test_what_only_looks_like_a_link_is_a_candidate_but_no_link() -> None:
    html = "<script>location.href = '/gone'</script><!-- <a href='/gone'> -->"
    assert candidates(html.encode()) == {"/gone"}
    assert links(html) == []


def test_place_of_the_page_itself_is_no_candidate_where_it_is_there() -> None:
    html = b'<a href="#here">a</a><a href="#gone">b</a><p id="here">'
    assert candidates(html) == {"#gone"}


def test_external_relations_and_hints_are_not_checked() -> None:
    assert links('<a rel="noopener external" href="/x"><link rel="preconnect" href="/y">') == []
    assert links('<link rel="canonical" href="/x">') == []


def test_link_knows_its_element_and_method() -> None:
    assert links('<form method="post" action="/send"></form>') == ['<form action="/send">']
    found = list(Outline(b'<form method="post" action="/send"></form>').links())
    assert found[0].method == "POST"


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png,b.png", ["a.png,b.png"]),
        ("a.png, b.png 100w,\n c.png", ["a.png", "b.png", "c.png"]),
        ("", []),
    ],
)
def test_srcset_is_cut_as_browsers_do(value: str, urls: list[str]) -> None:
    assert srcset_urls(value) == urls


def test_names_are_ids_and_named_anchors() -> None:
    assert Outline(b'<p id="a"><a name="b"></a>').names == {"a", "b"}


@pytest.mark.parametrize(
    ("html", "hidden"),
    [
        (b'<meta name="robots" content="noindex, follow">', True),
        (b'<META NAME="ROBOTS" CONTENT="NONE">', True),
        (b'<meta name="robots" content="index">', False),
        (b"<p>robots and noindex</p>", False),
        (b"<p>nothing", False),
    ],
)
def test_page_hides_from_robots_by_its_meta(html: bytes, hidden: bool) -> None:
    assert hides_from_robots(html) is hidden


@example([("a", "srcset", "  =  ", "; ;", '"')], "")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "A", "form", "img", "link", "x"]),
            st.sampled_from(["href", "HREF", "src", "action", "title", "srcset"]),
            st.sampled_from(["=", " =", "= ", "\n=\t", "  =  "]),
            st.text("/ab.#&;<>= ", max_size=8),
            st.sampled_from(['"', "'"]),
        ),
        max_size=4,
    ),
    st.text("<>\"'=!-/ ahrefsc", max_size=20),
)
def test_quick_reader_misses_nothing_that_the_parser_finds(
    parts: list[tuple[str, str, str, str, str]], noise: str
) -> None:
    html = noise.join(
        f"<{tag} {name}{equals}{quote}{value}{quote}>" for tag, name, equals, value, quote in parts
    ).encode()
    quick = candidates(html)
    outline = Outline(html)
    for link in outline.links():
        if link.value and not (link.value[0] == "#" and link.value[1:] in outline.names):
            assert link.value in quick
