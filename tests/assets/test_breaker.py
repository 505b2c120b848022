"""What a token in a URL means."""

from __future__ import annotations

import pytest

from asok.assets import Age, Breaker


@pytest.mark.parametrize(
    ("current", "token", "age"),
    [
        ("1700000000000", "1700000000000", Age.CURRENT),
        ("1700000000000", "9", Age.OLDER),
        ("9", "1700000000000", Age.NEWER),
        ("001718539201234", "1718539201233", Age.OLDER),
        ("001718539201234", "1718539201235", Age.NEWER),
        ("10", "010", Age.UNKNOWN),
        ("0", "00", Age.UNKNOWN),
        ("1700000000000", "abc", Age.UNKNOWN),
        ("1.10.0", "1.9.0", Age.UNKNOWN),
        ("abc", "5", Age.UNKNOWN),
        ("5", "٤", Age.UNKNOWN),
        ("5", "²", Age.UNKNOWN),
        ("5", "-4", Age.UNKNOWN),
        ("5", "4\n", Age.UNKNOWN),
        ("5", "", Age.UNKNOWN),
        ("5", "9" * 100_000, Age.NEWER),
        ("5", "0" * 100_000 + "4", Age.OLDER),
    ],
)
def test_numbers_are_compared_and_the_rest_is_unknown(current: str, token: str, age: Age) -> None:
    assert Breaker(current).age(token) is age


def test_a_ledger_orders_opaque_tokens() -> None:
    breaker = Breaker("beta", ["1.9.0", "1.10.0", "beta", "gamma"])
    ages = {token: breaker.age(token) for token in ("1.9.0", "1.10.0", "beta", "gamma", "omega")}
    assert list(ages.values()) == [Age.OLDER, Age.OLDER, Age.CURRENT, Age.NEWER, Age.UNKNOWN]


def test_numbers_that_the_ledger_contradicts_are_unknown() -> None:
    """The instance before knows the numbers only: overruled here, they would make a loop."""
    assert Breaker("1", ["2", "1"]).age("2") is Age.UNKNOWN
    assert Breaker("2", ["2", "1"]).age("1") is Age.UNKNOWN
    assert Breaker("2", ["1", "2"]).age("1") is Age.OLDER
    assert Breaker("2", ["1", "2"]).age("0") is Age.OLDER
    assert Breaker("10", ["10", "010"]).age("010") is Age.NEWER


def test_a_ledger_without_the_current_token_orders_nothing() -> None:
    assert Breaker("c", ["a", "b"]).age("a") is Age.UNKNOWN


def test_a_release_that_was_rolled_back_is_neither_older_nor_newer() -> None:
    deploys = ["a", "b", "c", "b"]
    assert Breaker("b", deploys).age("a") is Age.OLDER
    assert Breaker("b", deploys).age("c") is Age.UNKNOWN
    assert Breaker("c", deploys).age("b") is Age.UNKNOWN
    assert Breaker("c", deploys[:3]).age("b") is Age.OLDER
    assert Breaker("41", ["41", "42", "41"]).age("42") is Age.UNKNOWN
    assert Breaker("a", deploys).age("b") is Age.NEWER
