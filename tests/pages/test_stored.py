"""What may be stored, and that it comes back as it went in."""

from __future__ import annotations

import msgspec
import pytest

from asok.holes import Holed
from asok.pages import Rendered, StoredPage, decode, encode, why_not_stored
from asok.pages.names import body_name, page_name

from .conftest import MakePage


@pytest.mark.parametrize("status", [200, 203, 301, 308])
def test_these_are_stored(status: int) -> None:
    assert why_not_stored(Rendered(status, [("Location", "/x")], Holed((b"",)))) is None


@pytest.mark.parametrize("status", [201, 204, 206, 302, 303, 304, 307, 400, 403, 404, 410, 500])
def test_other_answers_are_not(status: int) -> None:
    assert f"status {status}" in (why_not_stored(Rendered(status, [], Holed((b"",)))) or "")


@pytest.mark.parametrize("header", [("Set-Cookie", "a=b"), ("set-cookie", "a=b"), ("Vary", "*")])
def test_what_belongs_to_one_request_is_not(header: tuple[str, str]) -> None:
    assert why_not_stored(Rendered(200, [header], Holed((b"",))))


def test_a_page_comes_back_as_it_went_in() -> None:
    holed = Holed((b"<script nonce=", b"></script>\xff", b""), ("nonce", "csrf"))
    page = StoredPage.make(
        Rendered(200, [("Content-Type", "text/html"), ("X-A", "1")], holed, ("posts",)),
        path="/blog/é",
        pattern="/blog/[slug]",
        params={"slug": "é", "n": 5},
        rendered_at=12.5,
        revalidate=60.0,
        expire=600.0,
        tags=("news", "posts"),
        listed=False,
    )
    record, body = encode(page)
    assert body == holed.body
    again = decode(msgspec.json.decode(msgspec.json.encode(record), type=type(record)), body)
    for name in StoredPage.__slots__:
        assert getattr(again, name) == getattr(page, name), name
    assert again.params == {"slug": "é", "n": "5"}
    assert again.tags == ("news", "posts")
    assert again.headers == (("content-type", "text/html"), ("x-a", "1"))
    assert again.content_type == "text/html"


def test_a_page_without_a_type_is_html(page: MakePage) -> None:
    assert page().content_type == "text/html; charset=utf-8"


def test_a_body_that_is_not_the_records_is_refused(page: MakePage) -> None:
    record, body = encode(page())
    with pytest.raises(ValueError, match="not the one"):
        decode(record, body[:-1])
    with pytest.raises(ValueError, match="format"):
        decode(msgspec.structs.replace(record, format=99), body)
    with pytest.raises(ValueError, match="hole"):
        decode(msgspec.structs.replace(record, holes=[(10**6, "nonce")]), body)


def test_names_are_readable_and_never_shared() -> None:
    paths = ["/", "/index", "/a", "/A", "/a.html", "/a-html", "/a/html", "/é", "/e\u0301", "/k-",
             "/k45", "/K", "/\u212a", "/x" * 500, "/" + "y" * 255]  # fmt: skip
    names = [page_name(path) for path in paths]
    assert len({name.lower() for name in names}) == len(paths)
    assert all(len(body_name(name, "d" * 32, "text/html")) < 150 for name in names)
    assert page_name("/blog/Hello World").startswith("blog-hello-world.")
    assert page_name("/").startswith("index.")


@pytest.mark.parametrize(
    ("media", "suffix"),
    [("text/html; charset=utf-8", "html"), ("application/json", "json"), ("image/x", "bin")],
)
def test_a_body_is_named_for_its_type(media: str, suffix: str) -> None:
    assert body_name("a.b", "c" * 32, media) == f"a.b.{'c' * 16}.{suffix}"
