"""Whether the modules of a site keep something between two pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asok.kept import kept

CODE = """
from collections import defaultdict
from functools import lru_cache

NOTHING = None
FOUND = {}
NESTED = {"a": []}
LARGE = list(range(100))
GROUPS = defaultdict(list)
NUMBER = 1
TYPES = dict

class Holder:
    shared = []
    def __init__(self):
        self.texts = {}

HOLDER = Holder()

@lru_cache
def memo(key):
    return key

def plain():
    return 1
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Any]:
    made = ModuleType("kept_site")
    made.__file__ = str(tmp_path / "kept_site.py")
    sys.modules["kept_site"] = made
    exec(CODE, vars(made))
    yield made
    del sys.modules["kept_site"]


@pytest.mark.parametrize(
    "code",
    [
        "FOUND['a'] = 1",
        "NESTED['a'].append(1)",
        "LARGE.append(1)",
        "GROUPS['a'].append(1)",
        "NUMBER = 2",
        "NOTHING = [1]",
        "HOLDER.texts['a'] = 1",
        "HOLDER.new = 1",
        "Holder.shared.append(1)",
        "memo(1)",
    ],
)
def test_what_is_kept_is_noticed(tmp_path: Path, module: Any, code: str) -> None:
    before = kept(tmp_path)
    exec(code, vars(module))
    assert kept(tmp_path) != before


@pytest.mark.parametrize("code", ["plain()", "len(FOUND)", "HOLDER.texts.get('a')", "Holder()"])
def test_using_changes_nothing(tmp_path: Path, module: Any, code: str) -> None:
    before = kept(tmp_path)
    exec(code, vars(module))
    assert kept(tmp_path) == before


def test_only_the_site_s_modules_count(tmp_path: Path, module: Any) -> None:
    assert {name.partition(".")[0] for name in kept(tmp_path)} == {"kept_site"}
    assert kept(tmp_path / "elsewhere") == {}


def test_a_site_in_a_folder_of_python_counts_and_its_environment_does_not(
    tmp_path: Path, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path.parent))
    assert kept(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    module.__file__ = str(tmp_path / "venv/kept_site.py")
    assert kept(tmp_path) == {}
