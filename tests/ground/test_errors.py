"""What every error of Asok shows of itself."""

from __future__ import annotations

import pytest

from asok.errors import AsokError


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "it failed: no such table. Run `asok migrate`..",
            "it failed: no such table. Run `asok migrate`.",
        ),
        ("it asked: which one?.", "it asked: which one?"),
        ("it waits...", "it waits..."),
        ("it failed.", "it failed."),
    ],
)
def test_a_message_that_quotes_another_one_ends_once(message: str, shown: str) -> None:
    assert AsokError(message).message == shown


def test_an_error_says_where_it_is_and_what_to_do() -> None:
    error = AsokError("it failed.", fix="Mend it.", file="a.py", line=3)
    assert str(error) == "a.py:3: it failed. Mend it."
    assert str(AsokError("it failed.", file="a.py")) == "a.py: it failed."
