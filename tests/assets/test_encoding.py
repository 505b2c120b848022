"""Accept-Encoding, as RFC 9110 weighs it."""

from __future__ import annotations

import pytest

from asok.assets.encoding import acceptable, choose

SIZES = (("identity", 1000), ("br", 300), ("gzip", 400))


@pytest.mark.parametrize(
    ("value", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000, br;q=0.0", "identity"),
        ("br;q=0.5, gzip;q=0.6", "gzip"),
        ("br;q=0.001", "br"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=1.0", "gzip"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("*;q=0, gzip", "gzip"),
        ("br;q=0, *", "gzip"),
        ("identity;q=0", "identity"),
        ("identity;q=0, *", "br"),
        ("deflate", "identity"),
        ("gzip ; q=1 , br ; q=0", "gzip"),
        ("gzip;q=2", "identity"),
        ("gzip;q=1.5, br;q=0.1", "gzip"),
        ("gzip;q=x", "identity"),
        ("gzip;level=9", "identity"),
        (",,,gzip,,", "gzip"),
        (";", "identity"),
    ],
)
def test_the_best_of_what_the_client_takes(value: str, coding: str) -> None:
    if value == "gzip;q=1.5, br;q=0.1":  # a weight above 1 counts as 1
        assert acceptable(value)["gzip"] == 1.0
    assert choose(value, SIZES) == coding


def test_a_header_beyond_its_limits_says_nothing() -> None:
    assert choose("x," * 2000 + "gzip", SIZES) == "identity"
    assert len(acceptable(",".join(f"c{n}" for n in range(32)))) == 32
    # Cut, the first would take what it refuses, and so would the second.
    assert choose("x" * 1019 + ",gzip;q=0", SIZES) == "identity"
    assert choose("*" + ",x" * 40 + ",br;q=0,gzip;q=0", SIZES) == "identity"


def test_equal_weights_give_the_smallest() -> None:
    assert choose("br, gzip", (("identity", 9), ("br", 8), ("gzip", 7))) == "gzip"
