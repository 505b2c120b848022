from __future__ import annotations

import subprocess
import sys

import click
import pytest

from asok.cli.cache import cache
from asok.cli.commands import COMMANDS, asok
from asok.cli.group import CommandGroup, suggestion
from asok.cli.make import make

from .conftest import Run, Spawn

GROUPS = {"asok": asok, "make": make, "cache": cache}


def commands() -> list[tuple[str, str]]:
    return [(name, command) for name, group in GROUPS.items() for command in group.table]


def test_help_lists_every_command_and_an_example(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert name in result.output
        assert line in result.output
    assert "asok create my-site" in result.output


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from asok.cli.commands import asok\n"
        "asok.main(['--help'], standalone_mode=False)\n"
        "heavy = {'rich', 'jinja2', 'starlette', 'uvicorn', 'sqlalchemy', 'asok.app'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("group", "name"), commands())
def test_the_line_of_a_command_in_the_table_is_the_first_of_its_help(group: str, name: str) -> None:
    context = click.Context(GROUPS[group])
    command = GROUPS[group].get_command(context, name)
    assert command is not None
    assert command.help is not None
    line = GROUPS[group].table[name][1]
    if isinstance(command, CommandGroup):
        assert line.rstrip(".").split(",")[0].split(" or ")[0] in command.help
    else:
        assert command.help.splitlines()[0] == line


@pytest.mark.parametrize(("group", "name"), commands())
def test_every_command_has_help_with_an_example(run: Run, group: str, name: str) -> None:
    path = [name] if group == "asok" else [group, name]
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert f"Example:\n  asok {' '.join(path)}" in result.output


def test_version_is_the_packages(run: Run) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.output.startswith("asok 0.")


@pytest.mark.parametrize(
    ("typed", "meant"), [("biuld", "build"), ("creat", "create"), ("PREVIEW", "preview")]
)
def test_misspelt_command_is_answered_with_the_right_one(run: Run, typed: str, meant: str) -> None:
    result = run(typed)
    assert result.exit_code == 2
    assert f"there is no command '{typed}'. Did you mean {meant}?" in result.output


def test_misspelt_subcommand_is_answered_with_the_right_one(run: Run) -> None:
    result = run("make", "pgae", "about")
    assert result.exit_code == 2
    assert "Did you mean page?" in result.output


def test_misspelt_option_is_answered_with_the_right_one(run: Run) -> None:
    result = run("build", "--jsno")
    assert result.exit_code == 2
    assert "--json" in result.output


def test_unlike_any_command_gets_no_suggestion() -> None:
    assert suggestion("xyzzy", ["build", "dev"]) == ""


@pytest.mark.parametrize("command", ["dev", "build", "preview", "routes", "migrate"])
def test_outside_a_site_a_command_says_so(run: Run, command: str) -> None:
    result = run(command)
    assert result.exit_code == 1
    assert "there is no site here" in result.output
    assert "Start one: asok create my-site" in result.output
    assert "Traceback" not in result.output


def test_traceback_is_shown_when_asked_for(run: Run) -> None:
    result = run("routes", "--traceback")
    assert result.exit_code == 1
    assert "Traceback" in result.output
    assert "CommandError" in result.output


def test_unknown_command_exits_with_2_as_a_process(spawn: Spawn) -> None:
    result = spawn("nothing")
    assert result.returncode == 2
    assert result.stdout == ""


def test_without_a_command_the_help_is_shown(spawn: Spawn) -> None:
    result = spawn()
    assert "Commands:" in result.stdout + result.stderr
    assert result.returncode == 2
