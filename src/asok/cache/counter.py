"""Counting in a stored integer: what is one, and how far it goes."""

from __future__ import annotations

from typing import Any

from asok.errors import CacheValueError

__all__ = ["counter_sum", "not_a_counter"]


def counter_sum(key: str, value: Any, delta: int) -> int:
    """Return the sum of a stored counter and `delta`, or raise `CacheValueError`."""
    if type(value) is not int:
        raise not_a_counter(key, f"a {type(value).__qualname__}")
    total = value + delta
    if any(not -(2**63) <= number < 2**63 for number in (value, delta, total)):
        raise CacheValueError(
            f"the counter {key!r} would leave the 64 bits (with sign) that every store can hold."
        )
    return total


def not_a_counter(key: str, found: str) -> CacheValueError:
    """The error of counting in a value that is no plain integer."""
    return CacheValueError(
        f"{key!r} holds {found}, expected an integer to count in.",
        fix="Count under a key of its own, begun by incr() or set(key, 0).",
    )
