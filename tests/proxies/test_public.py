"""Public pages as a shared cache serves them: whole, fresh, compressed for each, never poisoned."""

from __future__ import annotations

import re

import httpx
import pytest
from tests.services import wait_until

from .origin import Origin
from .servers import Proxy

pytestmark = pytest.mark.soak

EVIL = {
    "host": {"host": "evil.example"},
    "x-forwarded-host": {"x-forwarded-host": "evil.example"},
    "forwarded": {"forwarded": "for=1.2.3.4;host=evil.example;proto=https"},
    "x-host": {"x-host": "evil.example", "x-forwarded-server": "evil.example"},
    "x-original-url": {"x-original-url": "/evil.example", "x-rewrite-url": "/evil.example"},
    "x-forwarded-prefix": {"x-forwarded-prefix": "/evil.example", "x-script-name": "/evil"},
    "x-forwarded-scheme": {"x-forwarded-proto": "evil", "x-forwarded-scheme": "http"},
    "cookie": {"cookie": "theme=evil; asok=evil"},
    "accept-language": {"accept-language": "evil", "user-agent": "evil"},
    "x-http-method-override": {"x-http-method-override": "POST", "x-method-override": "evil"},
    "referer": {"referer": "http://evil.example/", "origin": "http://evil.example"},
}


def left(answer: httpx.Response) -> int:
    """How many seconds a shared cache may keep it."""
    found = re.search(r"s-maxage=(\d+)", answer.headers["cache-control"])
    assert found is not None, answer.headers["cache-control"]
    return int(found[1])


def test_the_second_visitor_is_served_by_the_cache(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, other: httpx.Client, slug: str
) -> None:
    path = f"/public/{slug}"
    first = visitor.get(path)
    assert first.status_code == 200
    assert not proxy.hit(first)
    for client in (other, visitor, other):
        again = client.get(path)
        assert proxy.hit(again)
        assert again.content == first.content
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert len(origin.asked(path)) == 1
    assert origin.renders(slug) == 1


def test_a_cookie_does_not_keep_a_public_page_out_of_the_cache(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    path = f"/public/{slug}"
    for number in range(3):
        answer = visitor.get(path, headers={"cookie": f"asok=made-up-{number}; theme=dark"})
        assert answer.status_code == 200
    assert len(origin.asked(path)) == 1


def test_a_compressed_page_goes_to_who_asked_for_it(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    path = f"/public/{slug}"
    bodies: set[bytes] = set()
    for _ in range(2):
        for coding in ("gzip", "br", "identity"):
            answer = visitor.get(path, headers={"accept-encoding": coding})
            assert answer.headers.get("content-encoding", "identity") == coding
            assert "accept-encoding" in answer.headers["vary"].lower()
            bodies.add(answer.content)
    assert len(bodies) == 1
    assert len(origin.asked(path)) == 3
    assert origin.renders(slug) == 1


def test_a_first_head_range_or_condition_leaves_the_whole_page(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    whole = visitor.get(f"/public/{slug}-whole", headers={"accept-encoding": "identity"})
    size = len(whole.content)
    for number, (method, headers) in enumerate(
        [
            ("HEAD", {}),
            ("GET", {"range": "bytes=0-9"}),
            ("GET", {"if-none-match": "*"}),
            ("GET", {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        ]
    ):
        path = f"/public/{slug}-first{number}"
        headers["accept-encoding"] = "identity"
        first = visitor.request(method, path, headers=headers)
        assert first.status_code in (200, 206, 304)
        assert first.status_code == 206 or method == "GET" or first.content == b""
        then = visitor.get(path, headers={"accept-encoding": "identity"})
        assert then.status_code == 200
        assert then.text.count("<p>A paragraph") == 200
        assert len(then.content) == size + 2 * (len(f"{slug}-first0") - len(f"{slug}-whole"))
        head = visitor.head(path, headers={"accept-encoding": "identity"})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(then.content))
        assert head.headers["etag"] == then.headers["etag"]


def test_a_browser_that_has_the_page_gets_304(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    path = f"/public/{slug}"
    first = visitor.get(path)
    again = visitor.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    # Squid leaves the validator out of its own 304.
    assert again.headers.get("etag", first.headers["etag"]) == first.headers["etag"]
    assert visitor.get(path, headers={"if-none-match": '"other"'}).content == first.content
    assert len(origin.asked(path)) == 1


def test_the_cache_asks_again_with_its_validator(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    path = f"/still/{slug}"
    first = visitor.get(path)

    def asked_again() -> bool:
        answer = visitor.get(path)
        assert (answer.status_code, answer.content) == (200, first.content)
        return any("if-none-match" in line["headers"] for line in origin.asked(path)[1:])

    wait_until(asked_again, what="a conditional request of the cache")
    assert visitor.get(path).content == first.content


def test_what_is_new_shows_after_the_shared_age(
    proxy: Proxy, visitor: httpx.Client, slug: str
) -> None:
    path = f"/news/{slug}"
    assert visitor.get(path).text == "<p>render 1</p>"
    seen = [1]

    def renewed() -> bool:
        answer = visitor.get(path)
        assert answer.status_code == 200
        seen.append(int(answer.text.removeprefix("<p>render ").removesuffix("</p>")))
        return seen[-1] >= 4

    wait_until(renewed, what="the fourth render")
    assert seen == sorted(seen)


@pytest.mark.parametrize("by", ["path", "tag"])
def test_a_page_renewed_on_demand_shows_after_the_shared_age_and_never_goes_back(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str, by: str
) -> None:
    path = f"/posts/{slug}"
    assert visitor.get(path).text == "<p>first</p>"
    told = httpx.post(f"{origin.url}/renew", data={"slug": slug, "text": "second", "by": by})
    assert told.text == "done", told.text
    # Every worker knows it at once: what comes from the site itself is never the old one again.
    direct = [httpx.get(origin.url + path) for _ in range(12)]
    assert {answer.text for answer in direct} == {"<p>second</p>"}
    wait_until(lambda: visitor.get(path).text == "<p>second</p>", what="the renewed page")
    assert {visitor.get(path).text for _ in range(5)} == {"<p>second</p>"}


def test_the_age_already_spent_counts(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    path = f"/aging/{slug}"
    direct = origin.url + path
    fresh = left(httpx.get(direct))
    wait_until(lambda: left(httpx.get(direct)) < fresh - 1, what="the ageing of the page")
    before = left(httpx.get(direct))
    stored = visitor.get(path)
    assert left(stored) <= before
    assert left(stored) + int(stored.headers.get("age", "0")) < fresh
    assert "stale-while-revalidate=20" in stored.headers["cache-control"]


def test_a_page_that_nothing_renews_is_asked_for_each_time(
    origin: Origin, visitor: httpx.Client
) -> None:
    first, before = visitor.get("/once"), len(origin.asked("/once"))
    assert first.headers["cache-control"] == "public, max-age=0, must-revalidate"
    again = visitor.get("/once")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.content == first.content
    assert len(origin.asked("/once")) == before + 1


@pytest.mark.parametrize("kind", sorted(EVIL))
def test_the_first_visitor_can_not_poison_the_others(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, other: httpx.Client, slug: str, kind: str
) -> None:
    path = f"/public/{slug}"
    visitor.get(path, headers=EVIL[kind])
    visitor.get(f"{path}/", headers=EVIL[kind], follow_redirects=False)
    clean = other.get(path)
    assert clean.status_code == 200
    assert f"<h1>{slug}</h1>" in clean.text
    assert "evil" not in clean.text
    assert "evil" not in str(clean.headers)
    moved = other.get(f"{path}/", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (308, path)
    assert b"evil" not in b"".join(
        file.read_bytes() for file in (origin.root / ".asok").rglob("*") if file.is_file()
    )


def test_a_query_changes_no_page_and_renders_none(
    origin: Origin, visitor: httpx.Client, slug: str
) -> None:
    path = f"/public/{slug}"
    first = visitor.get(path)
    for query in ("utm_source=x", "slug=other", "/x.json", "_rsc=1", "%00", "a=1&a=2", "="):
        answer = visitor.get(f"{path}?{query}")
        assert answer.status_code == 200
        assert answer.content == first.content
    assert origin.renders(slug) == 1


def test_a_page_made_for_a_query_is_not_another_ones(
    proxy: Proxy, visitor: httpx.Client, other: httpx.Client
) -> None:
    assert visitor.get("/search?q=mine").text == "<p>found mine</p>"
    assert other.get("/search?q=yours").text == "<p>found yours</p>"
    assert other.get("/search").text == "<p>found nothing</p>"


def test_assets_are_kept_for_good(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, other: httpx.Client, slug: str
) -> None:
    text = visitor.get(f"/public/{slug}").text
    path = text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    first = visitor.get(path)
    asked = len(origin.asked(path))
    assert "immutable" in first.headers["cache-control"]
    assert other.get(path).content == first.content
    assert proxy.hit(other.get(path))
    assert len(origin.asked(path)) == asked


def test_a_missing_page_is_not_kept(
    origin: Origin, visitor: httpx.Client, other: httpx.Client, slug: str
) -> None:
    path = f"/nowhere/{slug}"
    for client in (visitor, other):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert len(origin.asked(path)) == 2
