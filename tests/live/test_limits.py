"""Limits and the token bucket."""

from __future__ import annotations

from typing import Any

import pytest

from asok.errors import ConfigurationError
from asok.live.limits import Bucket, Limits


def test_the_defaults_are_the_documented_ones() -> None:
    limits = Limits()

    assert (limits.frame_bytes, limits.components, limits.depth) == (65536, 64, 8)
    assert (limits.batch_calls, limits.state_seconds) == (20, 3600)
    assert (limits.messages_per_second, limits.burst, limits.bad_signatures) == (20, 40, 3)
    assert limits.state_seconds == 3600


@pytest.mark.parametrize("wrong", [{"burst": 0}, {"state_seconds": -1.0}])
def test_a_limit_that_is_not_positive_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Limits(**wrong)


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    now = 0.0
    bucket = Bucket(20, 40, clock=lambda: now)

    assert [bucket.take() for _ in range(40)] == [0] * 40
    waits = [bucket.take() for _ in range(20)]
    assert waits == pytest.approx([n / 20 for n in range(1, 21)])  # pyright: ignore[reportUnknownMemberType]


def test_what_was_refused_costs_nothing() -> None:
    bucket = Bucket(20, 40, clock=lambda: 0.0)
    for _ in range(1000):
        assert [bucket.take() for _ in range(128)][-1] == (128 - 40) / 20
        bucket.give(128)
    assert [bucket.take() for _ in range(40)] == [0] * 40


def test_tokens_come_back_up_to_the_burst() -> None:
    now = 0.0
    bucket = Bucket(10, 5, clock=lambda: now)
    for _ in range(5):
        bucket.take()

    now = 100.0

    assert [bucket.take() for _ in range(5)] == [0] * 5
    assert bucket.take() > 0
