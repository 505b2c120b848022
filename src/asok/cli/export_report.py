"""What an export says when it is done: what was written, and what a static host can't do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from asok.cli.failure import shown_path
from asok.cli.findings import counted, fact
from asok.sizes import shown_bytes

if TYPE_CHECKING:
    from asok.export import ExportReport, Shortfall

__all__ = ["write_report"]

_TITLES: Final = {
    "left out": ("Left out", "needs a server"),
    "reduced": ("Reduced", "is there, and does less than on a server"),
}
_COMMON: Final = frozenset({"form", "live components", "regeneration"})
_MOST: Final = 30
_WIDEST: Final = 40


def write_report(report: ExportReport, folder: Path, seconds: float) -> None:
    """Write the tables to the terminal."""
    click.echo()
    fact(counted(len(report.pages), "page"), shown_bytes(sum(page.size for page in report.pages)))
    fact(counted(report.files, "file"), shown_bytes(report.size))
    for kind, (title, meaning) in _TITLES.items():
        found = [one for one in report.shortfalls if one.kind == kind]
        if found:
            click.echo(f"\n  {click.style(title, bold=True)}  {click.style(meaning, dim=True)}")
            _table(found)
    for note in report.notes:
        click.echo(f"\n  {click.style('note', fg='blue')}  {note}")
    click.echo(
        f"\n  {click.style('✓', fg='green', bold=True)} exported to {shown_path(folder)} "
        f"in {seconds:.2f} s"
    )
    look = f"python -m http.server --directory {shown_path(folder)}"
    click.echo(click.style(f"    look at it: {look}\n", dim=True))


def _table(found: Sequence[Shortfall]) -> None:
    same: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        # What many pages have in common is one line; what a person must look at has its own.
        own = "" if one.what in _COMMON else one.subject
        same.setdefault((one.what, one.why, own), []).append(one.subject)
    rows = [
        (subjects[0] + (f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""), what, why)
        for (what, why, _), subjects in same.items()
    ]
    first = min(max(len(row[0]) for row in rows[:_MOST]), _WIDEST)
    second = max(len(row[1]) for row in rows[:_MOST])
    for subjects, what, why in rows[:_MOST]:
        shown = click.style(what.ljust(second), fg="yellow")
        click.echo(f"    {subjects.ljust(first)}  {shown}  {why}")
    if len(rows) > _MOST:
        click.echo(click.style(f"    … and {len(rows) - _MOST} more (--json has all)", dim=True))
