"""The runtime stays below the size that the documentation promises."""

from __future__ import annotations

import gzip
import re

from asok.live.runtime import defer_bytes, defer_name, runtime_bytes, runtime_name


def test_it_is_at_most_2048_bytes_after_gzip() -> None:
    assert len(gzip.compress(runtime_bytes(), 9, mtime=0)) <= 2048


def test_the_script_of_deferred_components_is_a_third_of_it() -> None:
    assert len(gzip.compress(defer_bytes(), 9, mtime=0)) <= 704


def test_its_name_changes_with_its_content() -> None:
    assert re.fullmatch(r"alive-[0-9a-f]{12}\.js", runtime_name())
    assert re.fullmatch(r"defer-[0-9a-f]{12}\.js", defer_name())


def test_it_evaluates_nothing() -> None:
    for script in (runtime_bytes(), defer_bytes()):
        assert not re.search(r"\beval\(|new Function|\.style\b|document\.write", script.decode())
