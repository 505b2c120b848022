"""The runtime's file and its name."""

from __future__ import annotations

import re

from asok.live import runtime_bytes, runtime_name


def test_the_name_follows_the_bytes() -> None:
    assert runtime_bytes()
    assert re.fullmatch(r"alive-[0-9a-f]{12}\.js", runtime_name())
