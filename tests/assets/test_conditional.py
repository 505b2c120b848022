"""Dates of HTTP, whose zone is never the machine's."""

from __future__ import annotations

import time

import pytest

from asok.assets.conditional import parse_date


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
def test_all_three_forms_of_a_date_are_utc(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Taken as local time, a date of a client west of here is hours late: a 304 for a changed file.
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert parse_date(date) == 784111777
    finally:
        monkeypatch.undo()
        time.tzset()
