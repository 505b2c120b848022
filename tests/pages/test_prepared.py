"""What is sent with a stored page, for shared and for private ones."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from asok.holes import Holed
from asok.pages import Prepared, StoredPage, cache_status, prepare

from .conftest import MakePage

HOLED = Holed((b"<script nonce=", b"></script>"), ("nonce",))
LONG = b"<p>The same words again and again.</p>" * 100
SITE = [("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'self'")]
ENCODERS = {"gzip": gzip.compress}


def heads(prepared: Prepared, cache: Any = "HIT", **options: Any) -> dict[str, str]:
    options.setdefault("now", 1000.0)
    pairs = [(n.decode(), v.decode()) for n, v in prepared.headers(cache, **options)]
    assert len({name for name, _ in pairs}) == len(pairs)
    assert all(name == name.lower() for name, _ in pairs)
    return dict(pairs)


def test_a_page_without_holes_is_public_and_whole(page: MakePage) -> None:
    prepared = prepare(page(body=LONG), headers=SITE, encoders=ENCODERS)
    assert prepared.public
    assert heads(prepared) == {
        "content-type": "text/html; charset=utf-8",
        "content-length": str(len(LONG)),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'self'",
        "vary": "Accept-Encoding",
        "cache-control": "public, max-age=0, must-revalidate",
        "cache-status": "asok; hit",
        "x-asok-ssg-cache": "HIT",
        "etag": prepared.etag(),
    }
    packed = heads(prepared, coding="gzip")
    assert gzip.decompress(prepared.bodies["gzip"]) == LONG
    assert packed["content-encoding"] == "gzip"
    assert packed["content-length"] == str(len(prepared.bodies["gzip"])) != str(len(LONG))
    assert packed["etag"] == prepared.etag("gzip") != prepared.etag()
    assert prepared.size == len(prepared.bodies["gzip"])


def test_a_304_repeats_what_a_stored_answer_is_updated_with(page: MakePage) -> None:
    stored = page(body=LONG, headers=(("content-language", "en"),))
    found = heads(prepare(stored, headers=SITE, encoders=ENCODERS), modified=False, coding="gzip")
    assert {"etag", "vary", "cache-control", "content-security-policy"} <= set(found)
    assert not {"content-length", "content-encoding", "content-type", "content-language"} & set(
        found
    )


def test_a_page_with_holes_is_each_visitors_own(page: MakePage) -> None:
    prepared = prepare(page(holed=HOLED, revalidate=60.0), encoders=ENCODERS)
    found = heads(prepared)
    assert not prepared.public
    assert prepared.bodies == {}
    assert prepared.etag() is None
    assert found["cache-control"] == "private, no-cache"
    assert not {"etag", "vary"} & set(found)
    assert found["content-length"] == str(HOLED.filled_size)


def test_a_guarded_page_is_kept_nowhere(page: MakePage) -> None:
    for stored in (page(), page(holed=HOLED)):
        prepared = prepare(stored, guarded=True)
        assert not prepared.public
        assert heads(prepared)["cache-control"] == "private, no-store"
        assert "etag" not in heads(prepared)


@pytest.mark.parametrize(
    ("now", "cache", "control"),
    [
        (1000.0, "HIT", "public, max-age=0, s-maxage=60, stale-while-revalidate=60"),
        (1010.0, "HIT", "public, max-age=0, s-maxage=5"),
        (1059.9, "HIT", "public, max-age=0, s-maxage="),
        (1100.0, "STALE", "public, max-age=0, s-maxage=1, stale-while-revalidate=60"),
        (1000.0, "STALE", "public, max-age=0, s-maxage=1, stale-while-revalidate=60"),
        (1000.0, "MISS", "public, max-age=0, s-maxage=60, stale-while-revalidate=60"),
    ],
)
def test_shared_caches_are_told_what_is_left(
    page: MakePage, now: float, cache: str, control: str
) -> None:
    stored = page(revalidate=60.0)
    assert heads(prepare(stored), cache, now=now)["cache-control"].startswith(control)


def test_stale_while_revalidate_ends_where_the_page_expires(page: MakePage) -> None:
    found = heads(prepare(page(revalidate=60.0, expire=600.0)))
    assert found["cache-control"].endswith("stale-while-revalidate=540")


def test_the_pages_own_headers_win_but_for_those_that_are_computed(page: MakePage) -> None:
    stored = page(
        headers=(
            ("content-type", "text/plain"),
            ("x-content-type-options", "own"),
            ("vary", "Accept-Language"),
            ("cache-control", "public, max-age=5"),
            ("etag", '"made-up"'),
            ("content-length", "1"),
        )
    )
    prepared = prepare(stored, headers=SITE)
    found = heads(prepared)
    assert found["content-type"] == "text/plain"
    assert found["x-content-type-options"] == "own"
    assert found["vary"] == "Accept-Language"
    assert found["cache-control"] == "public, max-age=5"
    assert found["etag"] == prepared.etag() != '"made-up"'
    assert found["content-length"] == "14"


def test_a_private_page_never_gets_public_by_its_own_header(page: MakePage) -> None:
    own = (("cache-control", "public, s-maxage=600"),)
    assert heads(prepare(page(holed=HOLED, headers=own)))["cache-control"] == "private, no-cache"
    never = (("cache-control", "no-store"),)
    assert heads(prepare(page(holed=HOLED, headers=never)))["cache-control"] == "private, no-store"
    assert heads(prepare(page(headers=own), guarded=True))["cache-control"] == "private, no-store"


def test_a_tag_changes_with_the_body_and_with_the_policy(page: MakePage) -> None:
    first = prepare(page(), headers=SITE).etag()
    assert prepare(page(rendered_at=5.0), headers=SITE).etag() == first
    assert prepare(page(body=b"other"), headers=SITE).etag() != first
    assert prepare(page(), headers=SITE[:1]).etag() != first


def test_headers_of_one_second_are_made_once(page: MakePage) -> None:
    prepared = prepare(page(revalidate=60.0))
    first = prepared.headers(now=1000.1)
    assert prepared.headers(now=1000.9) is first
    assert prepared.headers(now=1001.0) is not first


def test_only_what_gets_smaller_is_compressed(page: MakePage) -> None:
    def short(body: bytes = b"short") -> StoredPage:
        return page(body=body)

    assert set(prepare(short(), encoders=ENCODERS).bodies) == {""}
    assert set(prepare(short(LONG), encoders={"br": lambda body: body}).bodies) == {""}
    image = page(body=LONG, headers=(("content-type", "image/png"),))
    assert set(prepare(image, encoders=ENCODERS).bodies) == {""}


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("HIT", None), "asok; hit"),
        (("HIT", 30.7), "asok; hit; ttl=30"),
        (("STALE", -12.5), "asok; hit; ttl=-13; detail=stale"),
        (("MISS", 60.0), "asok; fwd=miss; stored"),
    ],
)
def test_cache_status(arguments: Any, value: str) -> None:
    assert cache_status(*arguments) == value


def test_a_miss_that_was_not_stored_says_so() -> None:
    assert cache_status("MISS", stored=False) == "asok; fwd=miss"
