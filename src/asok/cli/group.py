"""The group of commands: imports a command when it is used, suggests one when it is misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from asok.cli.failure import Failure
from asok.errors import AsokError

__all__ = ["CommandGroup", "NamedChoice", "asok_command", "suggestion"]


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return " Did you mean …?" for the known names that resemble `name`, or nothing."""
    near = difflib.get_close_matches(name.lower(), known, 3, 0.65)
    return f" Did you mean {' or '.join(near)}?" if near else ""


class NamedChoice(click.Choice[str]):
    """One of several names; a misspelt one is answered with the name that was meant."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        names = list(self.choices)
        return f"{value!r} is none of {', '.join(names)}.{suggestion(str(value), names)}"


class CommandGroup(click.Group):
    """A group that names its commands in a table and imports none for its help.

    `table` maps a command's name to (`module:attribute`, one line for the help). An
    `AsokError` of a command is printed as message, place and fix, and exits with 1.
    """

    def __init__(
        self, *arguments: Any, table: Mapping[str, tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self.table:
            raise click.UsageError(
                f"there is no command {name!r}.{suggestion(name, list(self.table))}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_example(self.epilog, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AsokError as error:
            raise Failure(error, traceback=bool(ctx.meta.get(TRACEBACK))) from error


TRACEBACK = "asok.traceback"


class ExampleCommand(click.Command):
    """A command whose help ends with an example."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_example(self.epilog, formatter)


def write_example(text: str | None, formatter: click.HelpFormatter) -> None:
    """Write the lines of `text` as they are: click would join them to a paragraph."""
    if text:
        with formatter.section("Example"):
            for line in text.splitlines():
                formatter.write(f"  {line}\n")


def _set_traceback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[TRACEBACK] = True


def asok_command(
    name: str, *, example: str, help: str | None = None
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function the command `name`: it gets `--traceback` and an example in its help."""
    traceback = click.Option(
        ["--traceback"],
        is_flag=True,
        expose_value=False,
        callback=_set_traceback,
        help="Show Python's traceback when the command fails.",
    )

    def decorate(function: Callable[..., Any]) -> click.Command:
        command = click.command(
            name,
            cls=ExampleCommand,
            epilog=example,
            help=help,
            context_settings={"help_option_names": ["-h", "--help"]},
        )(function)
        command.params.append(traceback)
        return command

    return decorate
