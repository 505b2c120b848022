"""What the checks of a build found, in a few lines under its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from asok.sizes import shown_bytes

if TYPE_CHECKING:
    from asok.checks import Findings

__all__ = ["counted", "fact", "write_findings"]

_MOST: Final = 10


def write_findings(findings: Findings) -> None:
    """Write how many links hold, which do not, and what is made for crawlers."""
    if findings.links:
        broken = len(findings.broken)
        fact(counted(findings.links, "link"), f"{broken} broken" if broken else "all answered")
    if findings.weights:
        heaviest = max(findings.weights, key=lambda weight: weight.size)
        fact(
            counted(len(findings.weights), "budget"),
            f"all kept; the heaviest page is {heaviest.path} with {shown_bytes(heaviest.size)}",
        )
    if findings.files:
        made = ", ".join(f"/{name}" for name in findings.files)
        fact("for crawlers", made)
    for place in findings.broken[:_MOST]:
        _warn(place.describe(findings.root))
    if len(findings.broken) > _MOST:
        _warn(f"{len(findings.broken) - _MOST} more links lead nowhere")
    seen: dict[tuple[str, str], str] = {}
    for one in findings.redirected:
        seen.setdefault((one.link.value, one.target), one.page)
    for (value, target), page in list(seen.items())[:_MOST]:
        _warn(f"{value} redirects to {target} (on {page})", mark="note")
    for note in findings.notes:
        _warn(note, mark="note")


def _warn(text: str, *, mark: str = "warning") -> None:
    colour = "yellow" if mark == "warning" else "blue"
    click.echo(f"  {click.style(mark, fg=colour)}  {text}")


def fact(what: str, value: str) -> None:
    """Write one number and what it means."""
    click.echo(f"  {what:<12} {click.style(value, dim=True)}")


def counted(number: int, word: str) -> str:
    """Return "1 page", "2 pages"."""
    return f"{number} {word}{'' if number == 1 else 's'}"
