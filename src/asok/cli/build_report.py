"""What a build says when it is done: a table of routes for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asok.cli.findings import counted, fact, write_findings
from asok.cli.listing import Line
from asok.cli.routes import mode_text
from asok.sizes import shown_bytes

if TYPE_CHECKING:
    from asok.assets import Manifest
    from asok.checks import Findings
    from asok.pages import PageReport, Report

__all__ = ["BuildReport"]

#: Reasons that the table names; there may be one a page.
_SHOWN = 6
_COLOURS = {"static": "green", "isr": "cyan", "dynamic": "yellow"}


@dataclass(frozen=True, slots=True)
class BuildReport:
    """A build that succeeded. `seconds` is the time of all of it; `release` its name."""

    root: Path
    lines: Sequence[Line]
    pages: Report
    assets: Manifest
    modules: int
    release: str
    findings: Findings
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`. Sizes are bytes, times seconds.

        A page's `reason` is why it was rendered, null where it is the last build's; `full` is
        why all were, null where the last build was looked at.
        """
        return {
            "ok": True,
            "release": self.release,
            "seconds": round(self.seconds, 4),
            "modules": self.modules,
            "rendered": len(self.pages.pages) - self.pages.reused,
            "reused": self.pages.reused,
            "full": self.pages.full,
            "reasons": self.pages.reasons,
            "routes": [line.as_json(self.root) for line in self.lines],
            "pages": [
                {
                    "path": page.path,
                    "pattern": page.pattern,
                    "mode": page.mode,
                    "size": page.size,
                    "seconds": round(page.seconds, 6),
                    "reason": page.reason,
                }
                for page in self.pages.pages
            ],
            "assets": [
                {"name": name, "path": entry.path, "size": entry.size, **entry.codings}
                for name, entry in self.assets.files.items()
            ],
            "checks": self.findings.as_json(),
        }

    def write(self) -> None:
        """Write the table to the terminal."""
        rows = [self._row(line) for line in self.lines]
        head = ("Route", "Made", "Pages", "Rendered", "Size", "Time")
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        click.echo()
        _echo_row(head, widths, None)
        for row, line in zip(rows, self.lines, strict=True):
            _echo_row(row, widths, _COLOURS[line.mode])
        click.echo()
        fact(counted(len(self.pages.pages), "page"), shown_bytes(self.pages.size))
        for what, why in self._reasons():
            fact(what, why)
        entries = self.assets.files.values()
        size = sum(entry.size for entry in entries)
        sent = sum(min(entry.codings.values(), default=entry.size) for entry in entries)
        fact(
            counted(len(self.assets.files), "asset"),
            f"{shown_bytes(size)}, {shown_bytes(sent)} as sent",
        )
        fact(counted(self.modules, "module"), "compiled")
        write_findings(self.findings)
        click.echo(
            f"\n  {click.style('✓', fg='green', bold=True)} built in {self.seconds:.2f} s"
            + click.style(f"  release {self.release}", dim=True)
        )

    def _reasons(self) -> Iterator[tuple[str, str]]:
        """How many pages were rendered, and why: all for one reason, or those that differed."""
        pages = self.pages
        if pages.reused:
            yield f"{pages.reused} reused", "they are as the last build made them"
        if pages.full is not None:
            yield "all rendered", pages.full
            return
        reasons = list(pages.reasons.items())
        for why, number in reasons[:_SHOWN]:
            yield f"{number} rendered", why
        if rest := sum(number for _, number in reasons[_SHOWN:]):
            yield f"{rest} rendered", "for other reasons: see --json"

    def _row(self, line: Line) -> tuple[str, ...]:
        pages: list[PageReport] = [
            page for page in self.pages.pages if page.pattern == line.pattern
        ]
        if line.mode == "dynamic":
            return (line.pattern, mode_text(line), "", "", "", "")
        size = sum(page.size for page in pages)
        time = sum(page.seconds for page in pages)
        return (
            line.pattern,
            mode_text(line),
            str(len(pages)),
            str(sum(not page.reused for page in pages)),
            shown_bytes(size),
            f"{time * 1000:.1f} ms",
        )


def _echo_row(row: Sequence[str], widths: Sequence[int], colour: str | None) -> None:
    cells = [
        text.ljust(width) if at < 2 else text.rjust(width)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    if colour is None:
        cells = [click.style(cell, dim=True) for cell in cells]
    else:
        cells[1] = click.style(cells[1], fg=colour)
    click.echo("  " + "   ".join(cells).rstrip())
