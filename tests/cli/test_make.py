from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Run, Spawn


def test_what_is_made_runs_unedited(spawn: Spawn, site: Path) -> None:
    for arguments in (
        ("page", "about"),
        ("page", "blog/[slug]"),
        ("page", "shop/[id:int]"),
        ("component", "Search"),
        ("model", "Post"),
        ("migration", "add posts"),
    ):
        result = spawn("make", *arguments, cwd=site)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("made  ")
    assert spawn("migrate", cwd=site).returncode == 0
    (site / "src/pages/about/page.html").write_text("{{ component('Search') }}")
    code = (
        "from starlette.testclient import TestClient\n"
        "from wsgi import app\n"
        "from src.models import Post\n"
        "Post.create(title='x')\n"
        "with TestClient(app, base_url='http://localhost') as client:\n"
        "    for path in ('/about', '/blog/hello', '/shop/3'):\n"
        "        page = client.get(path)\n"
        "        assert page.status_code == 200, page.text\n"
        "        print(page.text)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "Search: 0" in shown.stdout
    assert "slug: hello" in shown.stdout
    assert "id: 3" in shown.stdout


def test_what_is_there_is_not_overwritten(run: Run, site: Path, chdir: None) -> None:
    before = (site / "src/components/Counter.py").read_bytes()
    result = run("make", "component", "Counter")
    assert result.exit_code == 1
    assert "nothing is overwritten" in result.output
    assert (site / "src/components/Counter.py").read_bytes() == before


@pytest.fixture
def chdir(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)


@pytest.mark.usefixtures("chdir")
def test_next_step_is_said(run: Run) -> None:
    assert "open /about while asok dev runs" in run("make", "page", "about").output
    assert "{{ component('Search') }}" in run("make", "component", "Search").output
    assert 'asok make migration "add post"' in run("make", "model", "Post").output


@pytest.mark.usefixtures("chdir")
def test_bad_address_is_refused_with_a_fix(run: Run) -> None:
    result = run("make", "page", "blog/[slug:nt]")
    assert result.exit_code == 1
    assert "fix" in result.output


@pytest.mark.usefixtures("chdir")
def test_migration_without_a_change_is_refused(spawn: Spawn, site: Path) -> None:
    result = spawn("make", "migration", "nothing", cwd=site)
    assert result.returncode == 1
    assert "nothing to migrate" in result.stderr
    empty = spawn("make", "migration", "by hand", "--empty", cwd=site)
    assert empty.returncode == 0, empty.stderr
    (path,) = (site / "src/migrations").glob("*.py")
    ast.parse(path.read_text())
