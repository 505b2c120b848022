"""Tokens in URLs, over the wire: where a redirect leads, and what it depends on."""

from __future__ import annotations

import re

import pytest

from .sites import BREAKERS, TOKEN, Site

HOSTILE = ["evil.example", "evil.example:80", "localhost@evil.example", "evil.example/x", "a b"]
QUERIES = [
    "",
    "v=1",
    "v=1&w=%20",
    "next=//evil.example",
    "a=%0d%0aX:y",
    "a=%2f..%2f",
    "?&;",
    "\xff",
]


def is_plain(site: Site) -> bool:
    """Asok's own URLs hold a digest of each file: there is no token to redirect from."""
    return site.name not in BREAKERS


def test_a_redirect_stays_on_the_site_and_keeps_the_query(site: Site) -> None:
    for query in QUERIES:
        answer = site.get(f"/static/9/style.css?{query}")
        if answer.status == 400 and not query.isascii():  # the server takes no such byte
            continue
        if is_plain(site):
            assert answer.status == 404
            continue
        assert answer.status == 301
        location = answer.header("location") or ""
        assert re.match(r"^/[^/\\]", location)
        assert location.isascii()
        path, _, kept = location.partition("?")
        assert path == f"/static/{TOKEN}/style.css"
        assert kept in (query, "%C3%A9", "%E9", "%C3%83%C2%A9")
        age = re.search(r"max-age=(\d+)", answer.header("cache-control") or "")
        assert age is not None
        assert int(age[1]) <= 60
        assert answer.body == b""


@pytest.mark.parametrize("host", HOSTILE)
def test_no_answer_depends_on_the_host(site: Site, host: str) -> None:
    for prefix in site.prefixes:
        asked = f"{prefix}/style.css"
        usual = site.get(asked)
        for headers in ({"Host": host}, {"X-Forwarded-Host": host}, {"Forwarded": f"host={host}"}):
            answer = site.get(asked, headers=headers)
            if answer.status == 400 and "Host" in headers:  # refused by the server or the site
                continue
            assert answer.stable == usual.stable


def test_every_kind_of_token_gets_its_answer(site: Site) -> None:
    if is_plain(site):
        # A digest that no build of here knows: a newer host's page, so the current bytes.
        return
    for token, status in (
        (TOKEN, 200), ("9", 301), ("0", 301), ("001699999999999", 301), ("1700000000001", 503),
        ("9" * 3000, 503), ("0" * 3000 + "9", 301), ("abc", 200), ("1.9.0", 200), ("-1", 200),
        ("1e3", 200), ("%D9%A4", 200), ("%20", 200), ("9%20", 200), ("0" + TOKEN, 200),
    ):  # fmt: skip
        answer = site.get(f"/static/{token}/style.css")
        if site.name == "asok-release" and not re.fullmatch(r"[\w.~-]{1,64}", token):
            assert answer.status == 404, token  # Asok takes no such token in a build either
            continue
        assert answer.status == status, token
        if status == 503:
            assert answer.header("retry-after") == "3"
            assert answer.header("cache-control") == "no-store"
        elif status == 200:
            assert answer.body == site.file("style.css").body
            caching = "max-age=31536000" if token == TOKEN else "no-cache"
            assert caching in (answer.header("cache-control") or "")
    for token in ("%00", "%0d%0a", "a%2fb", "%ff", "..", "%2e%2e", "."):
        answer = site.get(f"/static/{token}/style.css")
        assert answer.status in {404, 400, 200}, token
        assert answer.status != 200 or "no-cache" in (answer.header("cache-control") or "")


def test_only_reading_is_redirected(site: Site) -> None:
    for prefix in filter(str.isascii, site.prefixes):
        answer = site.get(f"{prefix}/style.css", "POST")
        assert (answer.status, answer.header("location")) == (405, None)
        answer = site.get(f"{prefix}/style.css", "HEAD")
        assert answer.body == b""
