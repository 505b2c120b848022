"""How a failed command says so: message, place, fix; the traceback only when asked for."""

from __future__ import annotations

import os
import traceback as tracebacks
from pathlib import Path
from typing import IO, Any

import click

from asok.errors import AsokError, FreezeError

__all__ = ["Failure", "as_json", "describe", "shown_path"]


class Failure(click.ClickException):
    """An `AsokError` on its way to the terminal; exits with 1."""

    exit_code = 1

    def __init__(self, error: AsokError, *, traceback: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.traceback = traceback

    def show(self, file: IO[Any] | None = None) -> None:
        if self.traceback:
            lines = tracebacks.format_exception(self.error)
            click.echo("".join(lines), file=file, err=file is None)
        click.echo(describe(self.error), file=file, err=file is None)


def shown_path(path: Path) -> str:
    """Return `path` relative to the working directory where it lies inside it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def as_json(error: AsokError) -> dict[str, object]:
    """Return the error for `--json`, with what the checks of a build found."""
    from asok.checks import Findings

    report = error.report if isinstance(error, FreezeError) else None
    found = {"checks": report.as_json()} if isinstance(report, Findings) else {}
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "fix": error.fix,
        "file": str(error.file) if error.file is not None else None,
        "line": error.line,
        **found,
    }


def describe(error: AsokError) -> str:
    """Return the lines that tell a person what failed, where, why, and what to do."""
    message = error.message.replace(f"{Path.cwd()}{os.sep}", "")
    lines = [f"{click.style('error', fg='red', bold=True)}  {message}"]
    if error.file is not None:
        place = shown_path(error.file)
        if error.line is not None:
            place += f":{error.line}"
        lines.append(f"{click.style('   at', dim=True)}  {place}")
    cause = error.__cause__
    while cause is not None:
        text = str(cause).strip()
        if text and text not in error.message:
            kind = type(cause).__name__
            lines.append(f"{click.style('cause', dim=True)}  {kind}: {text}")
        cause = cause.__cause__
    if error.fix:
        lines.append(f"{click.style('  fix', fg='green', bold=True)}  {error.fix}")
    return "\n".join(lines)
