"""`client=`: the words, and the likely one for a wrong word."""

from __future__ import annotations

import pytest

from asok.errors import ComponentError
from asok.live.client import check_client


@pytest.mark.parametrize(
    "client",
    [None, "load", "visible", "idle", "interaction", "only", "defer", "none",
     "media:(min-width: 40em)",
     "media:(min-width: 40em) and (prefers-reduced-motion: no-preference)"],
)  # fmt: skip
def test_known_strategies_pass(client: str | None) -> None:
    assert check_client("Cart", client) == client


@pytest.mark.parametrize(
    ("client", "hint"),
    [
        ("visble", "Did you mean client='visible'?"),
        ("client:load", "Did you mean client='load'?"),
        ("", "Use load, visible"),
        ("media:min-width", "media:(min-width: 40em)"),
        ('media:(x"y)', "media:(min-width: 40em)"),
        ("deferred", "Did you mean client='defer'?"),
        (
            "server:defer",
            "Use load, visible, idle, interaction, only, defer, none or media:(query).",
        ),
        ("interact", "Did you mean client='interaction'?"),
    ],
)
def test_anything_else_names_the_fix(client: str, hint: str) -> None:
    with pytest.raises(ComponentError) as error:
        check_client("Cart", client)

    assert hint in str(error.value)
