"""The policy allows the nonce of this response and nothing inline besides."""

from __future__ import annotations

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
