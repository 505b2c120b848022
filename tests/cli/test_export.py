from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asok.cli.staging import replaced
from asok.errors import CommandError

from .conftest import Run, Spawn


@pytest.fixture
def ready(blog: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The blog, with its database, as the working directory."""
    monkeypatch.chdir(blog)
    assert run("migrate").exit_code == 0
    return blog


def report(result: Any) -> Any:
    return json.loads(result.output)


def test_export_tells_what_was_written_and_what_was_not(
    run: Run, ready: Path, tmp_path: Path
) -> None:
    result = run("export", str(tmp_path / "dist"))
    assert result.exit_code == 0, result.output
    rows = [" ".join(line.split()) for line in result.output.splitlines()]
    assert any(row.startswith("4 pages ") for row in rows)
    assert "Left out needs a server" in rows
    contact = "/contact dynamic page it is made for each request; SSG = True makes it static"
    assert contact in rows
    assert any(row.startswith("/ live components without a server") for row in rows)
    assert any(row.startswith("/contact link it is not in the export") for row in rows)
    assert "python -m http.server --directory" in result.output
    assert "/static/css/base-" in (tmp_path / "dist/index.html").read_text()
    assert (tmp_path / "dist/blog/files-are-addresses/index.html").is_file()
    assert not (ready / ".asok/ssg_cache/current").exists()
    assert not (ready / ".asok/assets/manifest.json").exists()


def test_report_for_programs_and_strict(run: Run, ready: Path, tmp_path: Path) -> None:
    result = run("export", str(tmp_path / "dist"), "--json", "--strict", "--flat")
    assert result.exit_code == 1
    found = report(result)
    assert found["ok"] is False
    assert found["left_out"][0]["subject"] == "/contact"
    assert {page["file"] for page in found["pages"]} >= {
        "index.html",
        "blog/files-are-addresses.html",
    }
    assert (tmp_path / "dist/index.html").is_file()


def test_earlier_export_is_replaced_and_other_folders_are_refused(
    run: Run, ready: Path, tmp_path: Path
) -> None:
    target = tmp_path / "dist"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    refused = run("export", str(target))
    assert refused.exit_code == 1
    assert "no earlier output of asok export" in refused.output
    (target / "mine.txt").unlink()
    (target / ".git").mkdir()
    (target / ".git/HEAD").write_text("ref")
    assert run("export", str(target)).exit_code == 0
    (target / "old.html").write_text("old")
    assert run("export", str(target)).exit_code == 0
    assert not (target / "old.html").exists()
    assert (target / ".git/HEAD").read_text() == "ref"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_failing_page_leaves_the_last_export(spawn: Spawn, ready: Path, tmp_path: Path) -> None:
    target = tmp_path / "dist"
    assert spawn("export", str(target), cwd=ready).returncode == 0
    (ready / "src/pages/page.html").write_text("{{ nothing }}")
    failed = spawn("export", str(target), "--json", cwd=ready)
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["file"].endswith("page.html")
    said = spawn("export", str(target), cwd=ready)
    assert said.returncode == 1
    assert "src/pages/page.html:1" in said.stderr
    assert (target / "index.html").is_file()


@pytest.mark.parametrize("place", [".", "..", "src/out"])
def test_folder_of_the_site_is_refused(tmp_path: Path, place: str) -> None:
    root = tmp_path / "site"
    (root / "src").mkdir(parents=True)
    with (
        pytest.raises(CommandError, match="site"),
        replaced(root, root / place, mark=".m", command="asok export"),
    ):
        pass


def test_export_needs_no_secret_and_is_reproducible(
    spawn: Spawn, ready: Path, tmp_path: Path
) -> None:
    (ready / ".env").unlink()
    for name in ("one", "two"):
        done = spawn("export", str(tmp_path / name), "--json", cwd=ready)
        assert done.returncode == 0, done.stderr
    one, two = (
        {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.*")}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


def test_export_works_as_a_process(spawn: Spawn, ready: Path, tmp_path: Path) -> None:
    done = spawn("export", str(tmp_path / "dist"), "--precompress", cwd=ready)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "dist/static").rglob("*.css.br"))
