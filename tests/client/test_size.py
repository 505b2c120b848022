"""The runtime stays below the size that the documentation promises."""

from __future__ import annotations

import gzip
import re

import pytest

from asok.live.runtime import SCRIPTS, script_bytes, script_name

#: Bytes after gzip.
LIMITS = {"alive": 2048, "more": 2560, "post": 1280, "upload": 640, "defer": 704, "later": 512}


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_keeps_its_limit(script: str) -> None:
    assert len(gzip.compress(script_bytes(script), 9, mtime=0)) <= LIMITS[script]


@pytest.mark.parametrize("script", SCRIPTS)
def test_its_name_changes_with_its_content(script: str) -> None:
    assert re.fullmatch(script + r"-[0-9a-f]{12}\.js", script_name(script))


def test_scripts_import_the_others_by_their_present_names() -> None:
    assert script_name("more") in script_bytes("alive").decode()
    for script in ("post", "upload"):
        assert script_name(script) in script_bytes("more").decode()


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_evaluates_nothing(script: str) -> None:
    code = script_bytes(script).decode()
    assert not re.search(r"\beval\(|new Function|\.style\b|document\.write", code)
