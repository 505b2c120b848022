"""Each template's site passes its own tests, as a new user runs them, and a type checker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from asok.cli.scaffold import TEMPLATES, Scaffold

from .conftest import clean_environment


def in_site(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("cloned", [False, True])
def test_site_passes_its_own_tests(template: str, cloned: bool, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    Scaffold(template, folder, "site").write()
    if cloned:
        (folder / ".env").unlink()
    result = in_site(folder, "pytest", "-q", "-W", "error")
    assert result.returncode == 0, result.stdout + result.stderr


def test_site_is_clean_for_a_type_checker(tmp_path: Path) -> None:
    for template in TEMPLATES:
        Scaffold(template, tmp_path / template, template).write()
    for template in TEMPLATES:
        result = in_site(
            tmp_path / template, "pyright", "--outputjson", "--pythonpath", sys.executable
        )
        found = json.loads(result.stdout)["generalDiagnostics"]
        assert [f"{one['file']}: {one['message']}" for one in found] == []
