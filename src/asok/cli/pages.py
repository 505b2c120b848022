"""`asok pages`: what is stored of the site, in which state, and why."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from asok.cli.build_report import shown_bytes
from asok.cli.group import NamedChoice, asok_command, suggestion
from asok.cli.site import import_stored_site
from asok.errors import CommandError

if TYPE_CHECKING:
    from asok.cli.stored import Stored

__all__ = ["pages", "span"]

_COLOURS: Final = {"fresh": "green", "stale": "yellow", "expired": "magenta", "error": "red"}
_HEAD: Final = ("Path", "State", "Age", "Left", "Size", "Made", "Why")
_RIGHT: Final = frozenset({2, 3, 4})
#: Columns of the terminal that a path or a reason may take.
_WIDEST: Final = 60


@asok_command(
    "pages",
    example="asok pages\nasok pages '/blog/*' --state stale\nasok pages --tag posts --json",
)
@click.argument("text", metavar="[FILTER]", required=False)
@click.option(
    "--state", type=NamedChoice(tuple(_COLOURS)), help=f"Only those that are {', '.join(_COLOURS)}."
)
@click.option("--tag", metavar="TAG", help="Only those with this tag.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")
def pages(text: str | None, state: str | None, tag: str | None, as_json: bool) -> None:
    """List the stored pages, with the state of each and why.

    FILTER is a part of a path, a path with * in it, or a pattern as `asok routes` lists them.
    The pages are those of production: in development every request is rendered.
    """
    app = import_stored_site()
    from asok.cli.stored import stored

    every = list(stored(app.store, time.time()))
    found = [
        page
        for page in every
        if (text is None or page.fits(text))
        and (state is None or page.state == state)
        and (tag is None or tag in page.tags)
    ]
    if as_json:
        click.echo(json.dumps([page.as_json() for page in found], indent=2))
        return
    if not every:
        click.echo("No page is stored yet. Build the site: asok build")
    elif not found:
        _nothing(every, text, state, tag)
    else:
        _table(found)
    if app.store.outdated:
        click.echo("The last build was made by other code than this. Build anew: asok build")


def _nothing(every: Sequence[Stored], text: str | None, state: str | None, tag: str | None) -> None:
    """Say that nothing was found; a path or tag that no page has is a mistake."""
    if text is not None and not any(page.fits(text) for page in every):
        near = suggestion(text, sorted({name for one in every for name in _names(one)}))
        raise CommandError(
            f"none of the {len(every)} stored pages fits {text!r}.",
            fix=near.strip() or "Give a part of a path, a path with *, or a pattern in quotes.",
        )
    tags = sorted({name for page in every for name in page.tags})
    if tag is not None and tag not in tags:
        near = suggestion(tag, tags).strip()
        raise CommandError(
            f"no stored page has the tag {tag!r}.",
            fix=near or f"There are: {', '.join(tags[:10])}."
            if tags
            else 'Give a page tags: TAGS = ("posts",).',
        )
    click.echo(f"No such page is {state}." if state else "There is no such page.")


def _names(page: Stored) -> Iterator[str]:
    """What one may have meant: the path, the folders above it, the pattern."""
    parts = page.path.split("/")
    yield from ("/".join(parts[:end]) for end in range(2, len(parts) + 1))
    yield page.pattern


def _table(found: Sequence[Stored]) -> None:
    from rich.cells import cell_len

    rows = [_row(page) for page in found]
    widths = [max(map(cell_len, column)) for column in zip(_HEAD, *rows, strict=True)]

    def padded(at: int, cell: str) -> str:
        space = " " * (widths[at] - cell_len(cell))
        return space + cell if at in _RIGHT else cell + space

    head = "  ".join(padded(at, cell) for at, cell in enumerate(_HEAD)).rstrip()
    click.echo(click.style(head, dim=True))
    for page, row in zip(found, rows, strict=True):
        cells = [padded(at, cell) for at, cell in enumerate(row)]
        cells[1] = click.style(cells[1], fg=_COLOURS[page.state])
        rest = "  ".join(cells[5:]).rstrip()
        click.echo("  ".join([*cells[:5], click.style(rest, dim=True)]))
        if page.error:
            click.echo(f"    {click.style(_clean(page.error, 200), fg='red')}")
    states = Counter(page.state for page in found)
    facts = ", ".join(f"{states[name]} {name}" for name in _COLOURS if states[name])
    size = shown_bytes(sum(page.size for page in found))
    demand = sum(not page.listed for page in found)
    click.echo(
        f"\n{len(found)} page{'' if len(found) == 1 else 's'}, {size}: {facts}"
        + (f"; {demand} made on demand" if demand else "")
    )


def _row(page: Stored) -> tuple[str, ...]:
    made = "listed" if page.listed else "on demand"
    if page.generation:
        made += f", generation {page.generation}"
    why = "" if page.reason == page.state else page.reason
    return (
        _clean(page.shown, _WIDEST),
        page.state,
        span(page.age),
        "" if page.left is None else span(page.left),
        shown_bytes(page.size),
        made,
        _clean(why, _WIDEST),
    )


def _clean(text: str, most: int) -> str:
    """`text` on one line, without what a terminal would obey, cut in the middle if too long."""
    shown = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
    if len(shown) <= most:
        return shown
    half = (most - 1) // 2
    return f"{shown[:half]}…{shown[-half:]}"


def span(seconds: float) -> str:
    """Return a time as a person says it, rounded down: "12 s", "3 min", "-2 h"."""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if left >= 2 * size:
            return f"{sign}{int(left // size)} {unit}"
    return f"{sign}{int(left)} s"
