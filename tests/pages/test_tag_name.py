"""What a tag may be called, and the tag of a text that is made from data."""

from __future__ import annotations

import pytest

from asok.errors import PageError
from asok.pages import MAX_TAG, data_tag, page_tag, tag_problem


@pytest.mark.parametrize(
    "name",
    [
        "posts",
        "post:caf\u00e9",
        "x" * MAX_TAG,
        "\u0645\u06cc\u200c\u062e",
        "a b",
        "\U0001f468\u200d\U0001f469",
    ],
)
def test_text_of_any_language_is_a_tag_as_it_is(name: str) -> None:
    assert tag_problem(name) is None
    assert data_tag(name) == name
    assert page_tag(name) == name


def test_text_in_another_form_of_unicode_is_the_same_tag() -> None:
    assert data_tag("post:cafe\u0301") == data_tag("post:caf\u00e9") == "post:caf\u00e9"


def test_long_text_is_a_tag_of_its_own() -> None:
    """The longest segment of a path is 255 bytes: no address makes a page that tags fail."""
    long = "post:" + "a" * 255
    tag = data_tag(long)
    assert tag_problem(tag) is None
    assert tag.startswith("post:aaaa")
    assert tag != data_tag(long + "a")
    assert page_tag(long) == tag


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "it is empty"),
        (" ", "it is empty"),
        (None, "it is NoneType, expected text"),
        (3, "it is int, expected text"),
        ("\0path:/about", "control character"),
        ("a\nb", "control character"),
        ("a\x85b", "control character"),
        ("\ud800", "surrogate"),
        ("\ud800" * 200, "surrogate"),
    ],
)
def test_what_a_page_can_not_name_is_refused(name: object, message: str) -> None:
    with pytest.raises(PageError, match=message) as caught:
        page_tag(name)
    assert "request.tag(" in (caught.value.fix or "")
