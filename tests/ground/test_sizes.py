from __future__ import annotations

import pytest

from asok.sizes import parse_size, shown_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("2048", 2048), ("100KB", 102_400), ("1 MiB", 1 << 20), ("3g", 3 << 30)],
)
def test_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "big", "-1", "1.5MB", "10TB", "9" * 40])
def test_what_is_no_size_is_none(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("size", "text"), [(999, "999 B"), (12_345, "12.3 kB"), (3_456_789, "3.5 MB")]
)
def test_size_is_shown_for_people(size: int, text: str) -> None:
    assert shown_bytes(size) == text
