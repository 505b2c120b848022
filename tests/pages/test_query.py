"""Declared query parameters: what fits, its one text, and what a declaration may say."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.pages.query import Query, make_query
from asok.pages.route import page_key

TYPED = make_query({"page": int, "sort": ("new", "old"), "all": bool, "q": str})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", ()),
        (b"utm_source=x&fbclid=1", ()),
        (b"page=2", (("page", "2"),)),
        (b"sort=new&page=2", (("page", "2"), ("sort", "new"))),
        (b"page=1&page=2", (("page", "2"),)),
        (b"page=x&page=2", (("page", "2"),)),
        (b"%70age=%32", (("page", "2"),)),
        (b"page=-3&utm=1&&;", (("page", "-3"),)),
        (b"all=on", (("all", "true"),)),
        (b"all=1", (("all", "true"),)),
        (b"all=false", (("all", "false"),)),
        (b"q=a+b%26", (("q", "a b&"),)),
        (b"q=Cafe%CC%81", (("q", "Caf\u00e9"),)),
        (b"q=" + b"x" * 100, (("q", "x" * 100),)),
        (b"PAGE=2", ()),
        (b"/x.json", ()),
        (b"slug=b&" + b"x" * 10_000, ()),
    ],
)
def test_only_what_is_declared_counts(query: bytes, found: Any) -> None:
    assert TYPED.read(query) == found


@pytest.mark.parametrize(
    "query",
    [
        b"page=",
        b"page",
        b"page=01",
        b"page=+1",
        b"page=1.0",
        b"page=x",
        b"page=2&page=x",
        b"page=9999999999999999999",
        b"page=%D9%A1",
        b"sort=New",
        b"sort=",
        b"all=yes",
        b"q=",
        b"q=%00",
        b"q=a%0Ab",
        b"q=%FF",
        b"q=%EF%BF%BD",
        b"q=" + b"x" * 101,
        b"q=" + b"x" * 10_000,
    ],
)
def test_a_value_that_does_not_fit_is_none(query: bytes) -> None:
    assert TYPED.read(query) is None


def test_values_are_typed_as_declared() -> None:
    given = TYPED.read(b"q=5&page=7&all=0&sort=old")
    assert given is not None
    assert TYPED.values(given) == {"page": 7, "sort": "old", "all": False, "q": "5"}
    assert TYPED.names == ("page", "sort", "all", "q")


def test_nothing_declared_reads_nothing() -> None:
    assert not Query()
    assert Query().read(b"page=2") == ()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("page", r'QUERY = \("page",\)'),
        (7, "neither a tuple of names nor a dict"),
        ((1,), "holds 1"),
        (("",), "holds ''"),
        (("a\0b",), "1 to 64 characters"),
        ({"page": float}, "expected str, int, bool"),
        ({"sort": ()}, "choose from"),
        ({"sort": ("new", 1)}, "choose from"),
        ({"sort": ("",)}, "choose from"),
        (tuple("abcdefghi"), "declares 9 parameters"),
    ],
)
def test_a_wrong_declaration_is_refused(declared: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_query(declared)


def test_a_set_has_the_order_of_its_names() -> None:
    assert make_query({"b", "a"}) == make_query(("a", "b"))


NAMES = st.sampled_from(["page", "sort", "all", "q", "utm", "", "\0"])
VALUES = st.one_of(st.text(max_size=12), st.sampled_from(["1", "02", "new", "on", "e\u0301", "&="]))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_what_is_read_is_canonical(pairs: list[tuple[str, str]]) -> None:
    try:
        query = urlencode(pairs).encode()
    except UnicodeEncodeError:  # lone surrogates are in no address
        return
    found = TYPED.read(query)
    if found is None:
        return
    # What was read reads as itself, whatever stands around it and in whatever order.
    assert TYPED.read(urlencode(found).encode()) == found
    assert TYPED.read(urlencode([("x", "1"), *reversed(found)]).encode()) == found
    key = page_key("/news", found)
    assert key.startswith("/news\0") if found else key == "/news"
    assert key.count("\0") == bool(found)
    assert TYPED.values(found).keys() == dict(found).keys()
