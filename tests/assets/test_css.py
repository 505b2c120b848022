"""The references of a stylesheet, found as a browser finds them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.assets.css import normalised, quoted
from asok.assets.css import references as found_in
from asok.assets.references import Edit, Reference, edited


def references(source: str) -> list[Reference]:
    return list(found_in(normalised(source)))


def rewritten(source: str, replace: Callable[[Reference], str | None]) -> str:
    source = normalised(source)
    new = [(one, replace(one)) for one in references(source)]
    return edited(
        source, [Edit(one.start, one.end, quoted(text)) for one, text in new if text is not None]
    )


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("a{b:url(x.png)}", ["x.png"]),
        ("a{b:url( x.png )}", ["x.png"]),
        ("a{b:url('x y.png')}", ["x y.png"]),
        ('a{b:url( "x)y.png" )}', ["x)y.png"]),
        ("a{b:URL(x.png)}", ["x.png"]),
        (r"a{b:\75rl(x.png)}", ["x.png"]),
        (r"a{b:url(x\ y\29.png)}", ["x y).png"]),
        (r"a{b:url('a\'b\\c')}", [r"a'b\c"]),
        ("a{b:url('a\\\nb')}", ["ab"]),
        (r"a{b:url(\0\110000\d800)}", ["\ufffd\ufffd\ufffd"]),
        ("a{b:src('x.png')}", ["x.png"]),
        ("a{b:url()}", [""]),
        ("a{b:url(x.png", ["x.png"]),
        ("a{b:url('x.png", ["x.png"]),
        ("@import 'a.css';", ["a.css"]),
        ('@IMPORT "a.css" layer(x) screen;', ["a.css"]),
        ("@import/**/url(a.css) supports(display:grid);", ["a.css"]),
        ("@import url('a.css');@import 'b.css';", ["a.css", "b.css"]),
        ("@import 'a.css' layer('no');", ["a.css"]),
        ("a{b:image-set('a.png' 1x, url(b.png) 2x)}", ["a.png", "b.png"]),
        ("a{b:image-set('a.webp' type('image/webp') 1x)}", ["a.webp"]),
        ("a{b:-webkit-image-set(url(a.png) 1x)}", ["a.png"]),
        ("@font-face{src:local('no'),url(f.woff2)format('woff2')}", ["f.woff2"]),
        ("@media x{a{b:url(x.png)}}", ["x.png"]),
        ("a{--x:url(x.png)}", ["x.png"]),
        ("a{b:myurl(x.png) url-x(y.png)}", []),
        ("a{b:#url(x.png)}", []),
        ("a{b:1url(x.png)}", []),
        ("/* url(x.png) @import 'a' */", []),
        ("a{content:'url(x.png)'}", []),
        ("a[href='x.png']{}", []),
        ("@namespace url(http://x);@namespace 'y';a{b:url(x.png)}", ["x.png"]),
        ("@namespace url('x');@namespace svg url(y);", []),
        ("@charset 'utf-8';", []),
        ("a{b:url(x y.png)} c{d:url(z.png)}", ["z.png"]),
        ("a{b:url(x'y)} c{d:url(z.png)}", ["z.png"]),
        ("a{b:url('x\n; c:url(z.png)}", ["z.png"]),
        ("a{b:) url(x.png)}", ["x.png"]),
        ("a{b:url(ü.png)}", ["ü.png"]),
        ("/* open", []),
        ("@import", []),
        ("\\", []),
        ("", []),
    ],
)
def test_finds(source: str, values: list[str]) -> None:
    assert [reference.value for reference in references(source)] == values


def test_the_line_is_that_of_the_reference() -> None:
    source = "/* 1\n */ a\n{ b: url(3.png) }\n@import\n 'five.css';\n"
    assert [(r.value, r.line) for r in references(source)] == [("3.png", 3), ("five.css", 5)]


def test_rewrites_references_and_nothing_else() -> None:
    source = "a { b : url( x.png ) /* x.png */ ; c: url('y.png'), url(keep.png) ; d: 'x.png' }\r\n"
    new = {"x.png": "x-1.png", "y.png": 'y"2\\.png\n'}
    assert rewritten(source, lambda reference: new.get(reference.value)) == (
        'a { b : url( "x-1.png" ) /* x.png */ ; c: url("y\\"2\\\\.png\\a "), url(keep.png) ; '
        "d: 'x.png' }\n"
    )


PIECES = [
    "url(",
    "src(",
    "@import ",
    "image-set(",
    "'",
    '"',
    "\\",
    "(",
    ")",
    "{",
    "}",
    ";",
    "\n",
    "/*",
    "*/",
    "x.png",
    " ",
    "a",
    "\\75 ",
    "\0",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_survives_a_rewrite_that_changes_nothing(source: str) -> None:
    source = normalised(source)
    assert rewritten(source, lambda reference: None) == source
    found = references(source)
    ends = [0, *(end for r in found for end in (r.start, r.end)), len(source)]
    assert ends == sorted(ends)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_what_was_rewritten_is_found_again(source: str) -> None:
    before = [reference.value for reference in references(source)]
    renamed = rewritten(source, lambda reference: f"n/{reference.value}".replace("\0", ""))
    after = [reference.value for reference in references(renamed)]
    assert after == [f"n/{value}".replace("\0", "") for value in before]


@pytest.mark.parametrize(
    "piece",
    ["\\", "url(", "(", "@import ", "/*", "url(\\", "'", "url( ", "[(", "a\\", "*/", "<!--"],
)
def test_hostile_sources_are_read_in_linear_time(piece: str) -> None:
    references(piece * 20_000)
