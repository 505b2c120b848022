from __future__ import annotations

import ast
import os
import tomllib
from pathlib import Path

import pytest

from asok.cli.scaffold import TEMPLATES, Scaffold, checked_name, proposed_name
from asok.errors import CommandError


@pytest.mark.parametrize("name", ["blog", "my-site", "a1", "two_words", "x" * 64])
def test_good_names_are_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("My Site", "my-site"),
        ("1st", "st"),
        ("ünïcode", "n-code"),
        ("-x-", "x"),
        ("", "my-site"),
        ("asok", "asok-site"),
        ("tests", "tests-site"),
        ("a" * 65, "a" * 64),
        ("a--b", "a-b"),
        ("…", "my-site"),
    ],
)
def test_bad_name_is_refused_with_one_that_is_good(name: str, proposed: str) -> None:
    with pytest.raises(CommandError) as caught:
        checked_name(name)
    assert caught.value.fix == f"Try: asok create {proposed}"
    assert proposed_name(name) == proposed
    assert checked_name(proposed) == proposed


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_writes_the_files_that_a_project_needs(
    template: str, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    files = Scaffold(template, folder, "my-first-site").write()
    names = {path.as_posix() for path in files}
    assert {
        ".editorconfig",
        ".env",
        ".env.example",
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "tests/test_site.py",
        "wsgi.py",
        "src/pages/page.html",
        "src/pages/404/page.html",
        "src/partials/html/base.html",
    } <= names
    assert names == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }
    for path in files:
        text = (folder / path).read_text()
        assert "__NAME__" not in text
        assert "__TITLE__" not in text
        assert "__SECRET_KEY__" not in text
        if path.suffix == ".py":
            ast.parse(text)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "my-first-site"
    assert "My first site" in (folder / "README.md").read_text()


def test_every_site_gets_its_own_secret_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    keys: set[str] = set()
    for name in ("one", "two"):
        Scaffold("minimal", tmp_path / name, name).write()
        env = tmp_path / name / ".env"
        assert env.stat().st_mode & 0o077 == 0
        key = env.read_text().partition("SECRET_KEY=")[2].strip()
        assert len(key) >= 32
        keys.add(key)
        assert key not in (tmp_path / name / ".env.example").read_text()
    assert len(keys) == 2


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    Scaffold("minimal", tmp_path, "here").write()
    assert (tmp_path / "wsgi.py").is_file()


def test_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CommandError, match=r"not empty: it holds notes\.txt"):
        Scaffold("minimal", tmp_path, "here")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(CommandError, match="is a file"):
        Scaffold("minimal", tmp_path / "site", "site")


@pytest.mark.parametrize("existed", [True, False])
def test_failing_write_leaves_nothing_behind(
    existed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    if existed:
        folder.mkdir()
    scaffold = Scaffold("minimal", folder, "site")
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "wsgi.py":
            raise OSError(28, os.strerror(28))
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CommandError, match="No space left"):
        scaffold.write()
    assert folder.exists() == existed
    assert not existed or not list(folder.iterdir())
