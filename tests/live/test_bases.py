"""What is remembered of the browsers' HTML, and forgotten."""

from __future__ import annotations

from asok.live.bases import Bases


def test_the_last_version_is_kept() -> None:
    bases = Bases(10_000)
    bases.put("a", 1, "one")
    bases.put("a", 2, "two")

    assert bases.get("a") == (2, "two")
    assert len(bases) == 1


def test_the_least_recently_used_goes_first() -> None:
    bases = Bases(2_500)
    bases.put("a", 1, "x" * 1000)
    bases.put("b", 1, "x" * 1000)
    bases.get("a")
    bases.put("c", 1, "x" * 1000)

    assert bases.get("b") is None
    assert bases.get("a")
    assert bases.get("c")
    assert bases.size <= 2_500


def test_what_is_larger_than_all_is_not_kept() -> None:
    bases = Bases(100)
    bases.put("a", 1, "x")
    bases.put("a", 2, "x" * 1000)

    assert bases.get("a") is None
    assert bases.size == 0


def test_dropping_gives_the_room_back() -> None:
    bases = Bases(10_000)
    bases.put("a", 1, "x" * 1000)
    bases.drop("a")
    bases.drop("a")

    assert (len(bases), bases.size) == (0, 0)
