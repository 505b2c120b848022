"""Where an unsafe request comes from, by what its browser says alone."""

from __future__ import annotations

import pytest

from asok.sessions import headers_problem


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": "https://example.org"},
        {"origin": "HTTPS://Example.ORG"},
        {"origin": "https://admin.example.org"},
        {"origin": "https://admin.example.org", "sec-fetch-site": "same-site"},
    ],
)
def test_the_site_itself_and_those_it_trusts_may_send(headers: dict[str, str]) -> None:
    trusted = ("https://admin.example.org",)
    problem = headers_problem(headers, scheme="https", host="example.org", trusted=trusted)
    assert problem is None


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "neither Sec-Fetch-Site nor Origin"),
        ({"referer": "https://example.org/"}, "neither Sec-Fetch-Site nor Origin"),
        ({"origin": "http://example.org"}, "expected 'https://example.org'"),
        ({"origin": "https://example.org:8443"}, "expected 'https://example.org'"),
        ({"origin": "https://example.org.evil.example"}, "expected 'https://example.org'"),
        ({"origin": ""}, "its Origin is ''"),
        ({"origin": "null"}, "its Origin is 'null'"),
        ({"sec-fetch-site": "same-site"}, "its Sec-Fetch-Site is 'same-site'"),
        ({"sec-fetch-site": "cross-site", "origin": "https://x"}, "is 'cross-site'"),
        ({"sec-fetch-site": "same-origin, none"}, "expected 'same-origin'"),
    ],
)
def test_whatever_else_is_refused(headers: dict[str, str], message: str) -> None:
    problem = headers_problem(headers, scheme="https", host="example.org")
    assert problem is not None
    assert message in problem
