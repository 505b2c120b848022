"""Tokens are bound to a session and masked; foreign origins are refused."""

from __future__ import annotations

import pytest

from asok.sessions import Csrf, origin_problem
from asok.signing import Keys

CSRF = Csrf(Keys(["k" * 32]))


def test_a_thousand_tokens_are_distinct_and_valid() -> None:
    binding = "a visitor"
    tokens = {CSRF.token(binding) for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(CSRF.valid(token, binding) for token in tokens)


def test_a_token_of_another_session_is_refused() -> None:
    assert not CSRF.valid(CSRF.token("one"), "two")


@pytest.mark.parametrize("token", ["", "x", "é" * 86, "!" * 86, "A" * 86, "A" * 85, "A" * 87])
def test_nonsense_is_refused(token: str) -> None:
    assert not CSRF.valid(token, "binding")


def test_every_changed_character_is_refused() -> None:
    token = CSRF.token("b")
    for index in range(85):  # the last character carries padding bits
        changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        assert not CSRF.valid(changed, "b")


def test_a_retired_key_verifies_until_it_is_removed() -> None:
    old = CSRF.token("b")
    assert Csrf(Keys(["k" * 32, "n" * 32])).valid(old, "b")
    assert not Csrf(Keys(["n" * 32])).valid(old, "b")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://site.example"},
        {"origin": "https://SITE.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"referer": "https://site.example/page?x=1"},
        {"origin": "https://admin.example"},
        {"referer": "https://admin.example/x"},
    ],
)
def test_the_sites_own_requests_pass(headers: dict[str, str]) -> None:
    problem = origin_problem(
        headers, scheme="https", host="site.example", trusted=["https://admin.example"]
    )
    assert problem is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://site.example:8443"},
        {"origin": "http://site.example"},
        {"origin": ""},
        {"origin": "https://site.example.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"referer": "https://evil.example/https://site.example"},
        {"referer": "http://[bad"},
        {"referer": "no url"},
    ],
)
def test_foreign_requests_are_named(headers: dict[str, str]) -> None:
    assert origin_problem(headers, scheme="https", host="site.example")
