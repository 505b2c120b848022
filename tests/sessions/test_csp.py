"""The policy allows the nonce of this response and nothing inline besides."""

from __future__ import annotations

from pathlib import Path

import pytest

from asok.errors import ConfigurationError
from asok.sessions import Policy, new_nonce


def test_the_nonce_is_allowed_for_scripts_and_styles() -> None:
    header = Policy().header("abc")
    assert "script-src 'self' 'nonce-abc';" in header
    assert "style-src 'self' 'nonce-abc';" in header
    assert header.count("abc") == 2
    assert "unsafe" not in header


def test_a_response_without_inline_tags_has_no_nonce() -> None:
    assert "nonce" not in Policy().header()


def test_directives_are_replaced_added_and_removed() -> None:
    policy = Policy({"img-src": "*", "font-src": "", "worker-src": "'none'"})
    assert "img-src *" in policy.plain
    assert "font-src" not in policy.plain
    assert policy.plain.endswith("worker-src 'none'")


@pytest.mark.parametrize("value", ["a; script-src *", "a\r\nx: y", "a, b", "\0"])
def test_a_value_can_not_end_its_directive(value: str) -> None:
    with pytest.raises(ConfigurationError, match="separator"):
        Policy({"img-src": value})


def test_nonces_do_not_repeat() -> None:
    assert len({new_nonce() for _ in range(10_000)}) == 10_000
    assert len(new_nonce()) == 22


def test_hashes_stand_with_the_sources_of_their_directive() -> None:
    header = Policy({"style-src": "'none'"}).hashed(["abc="], ["def=", "ghi="])
    assert "script-src 'self' 'sha256-abc=';" in header
    assert "style-src 'sha256-def=' 'sha256-ghi=';" in header
    assert "object-src 'none';" in header


def test_a_page_without_hashes_has_the_policy_without_a_nonce() -> None:
    assert Policy().hashed([], []) == Policy().header()


@pytest.mark.parametrize(
    ("sources", "url", "allowed"),
    [
        ("'self'", "https://cdn.example/a.js", False),
        ("'self' https://cdn.example", "https://cdn.example/a.js", True),
        ("https://cdn.example", "//cdn.example/a.js", True),
        ("https://CDN.example", "https://cdn.example/a.js", True),
        ("cdn.example", "https://cdn.example/a.js", True),
        ("https://cdn.example", "http://cdn.example/a.js", False),
        ("https://cdn.example", "https://cdn.example.evil/a.js", False),
        ("https://*.example", "https://a.b.example/a.js", True),
        ("https://*.example", "https://example/a.js", False),
        ("https://cdn.example:8443", "https://cdn.example/a.js", False),
        ("https://cdn.example:*", "https://cdn.example:8443/a.js", True),
        ("https://cdn.example/js/", "https://cdn.example/js/a.js", True),
        ("https://cdn.example/a.js", "https://cdn.example/b.js", False),
        ("*", "https://cdn.example/a.js", True),
        ("https:", "https://cdn.example/a.js", True),
        ("https:", "http://cdn.example/a.js", False),
        ("'self'", "https://[", False),
    ],
)
def test_which_origins_a_directive_names(sources: str, url: str, allowed: bool) -> None:
    assert Policy({"script-src": sources}).allows("script-src", url) is allowed


def test_the_default_stands_for_a_directive_that_is_not_there() -> None:
    policy = Policy({"script-src": "", "default-src": "https://cdn.example"})
    assert policy.allows("script-src", "https://cdn.example/a.js")


def test_the_policies_that_csp_evaluator_is_asked_about_are_ours() -> None:
    """`scripts/check_client.sh` runs it: it needs Node, which nothing else here does."""
    ours = [
        Policy().header("Zm9vYmFyYmF6cXV4MTIzNA"),
        Policy().hashed(["RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="], ["a" * 43 + "="]),
        Policy().header(),
    ]
    file = Path(__file__).parents[2] / "client" / "policies.txt"
    assert file.read_text().splitlines() == ours


@pytest.mark.soak
def test_a_million_nonces_are_a_million() -> None:
    assert len({new_nonce() for _ in range(1_000_000)}) == 1_000_000
