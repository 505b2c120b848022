from __future__ import annotations

import os
import pty
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from asok.cli.scaffold import TEMPLATES

from .conftest import Run, Spawn, clean_environment


def test_new_site_is_written_and_the_next_steps_are_said(run: Run, tmp_path: Path) -> None:
    result = run("create", "my-site", "--yes")
    assert result.exit_code == 0
    assert (tmp_path / "my-site" / "wsgi.py").is_file()
    steps = [line.strip().split("   ")[0] for line in result.output.splitlines()]
    assert steps.index("cd my-site") < steps.index("asok dev")


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_command_line_that_it_prints_makes_the_same_site(
    template: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("create", "site", "-t", template, "-y")
    again = result.output.partition("The same again: asok ")[2].strip()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(*shlex.split(again)).exit_code == 0

    def files(folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}

    assert files(tmp_path / "site") == files(tmp_path / "elsewhere" / "site")


def test_point_means_this_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = run("create", ".", "-y")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "here" / "wsgi.py").is_file()
    assert "cd " not in result.output
    assert 'name = "here"' in (tmp_path / "here" / "pyproject.toml").read_text()


def test_site_in_a_folder_that_is_not_there_yet(run: Run, tmp_path: Path) -> None:
    assert run("create", "sites/first", "-y").exit_code == 0
    assert (tmp_path / "sites" / "first" / "wsgi.py").is_file()


def test_full_folder_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "kept").write_text("mine")
    result = run("create", "site", "-y")
    assert result.exit_code == 1
    assert "not empty: it holds kept" in result.output
    assert "fix" in result.output


def test_bad_name_is_refused_with_a_good_one(run: Run, tmp_path: Path) -> None:
    result = run("create", "My Site", "-y")
    assert result.exit_code == 1
    assert "Try: asok create my-site" in result.output
    assert not list(tmp_path.iterdir())


def test_misspelt_template_is_answered_with_the_right_one(run: Run) -> None:
    result = run("create", "site", "-t", "blgo")
    assert result.exit_code == 2
    assert "Did you mean blog?" in result.output


def test_without_a_terminal_nothing_is_asked(spawn: Spawn, tmp_path: Path) -> None:
    result = spawn("create", "site")
    assert result.returncode == 0
    assert (tmp_path / "site" / "src" / "components" / "Counter.py").is_file()
    missing = spawn("create")
    assert missing.returncode == 2
    assert "NAME is missing" in missing.stderr


def on_terminal(folder: Path, answers: list[tuple[bytes, bytes]], *arguments: str) -> str:
    """Run `asok …` on a pseudo-terminal; each answer is typed when its question is shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "asok", *arguments],
        cwd=folder,
        env=clean_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    waiting = list(answers)
    while True:
        ready, _, _ = select.select([ours], [], [], 30)
        assert ready, f"nothing more after {shown!r}"
        try:
            data = os.read(ours, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not data:
            break
        shown += data
        if waiting and waiting[0][0] in shown:
            os.write(ours, waiting.pop(0)[1] + b"\n")
    os.close(ours)
    assert process.wait(30) == 0, shown
    assert not waiting
    return shown.decode()


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    answers = [(b"Name of the site", b"asked"), (b"Template [", b"2")]
    shown = on_terminal(tmp_path, answers, "create")
    assert "asok create asked --template blog --yes" in shown
    assert (tmp_path / "asked" / "src" / "models" / "post.py").is_file()


def test_with_yes_a_terminal_is_not_asked(tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, [], "create", "quick", "--yes")
    assert "--template minimal" in shown
