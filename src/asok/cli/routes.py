"""`asok routes`: the pages of a site."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import click

from asok.cli.group import asok_command
from asok.cli.listing import Line, listing, seconds
from asok.cli.site import find_site, import_site, without_key

if TYPE_CHECKING:
    from asok.app import Asok

__all__ = ["mode_text", "routes"]

_COLOURS = {"static": "green", "isr": "cyan", "dynamic": "yellow"}


@asok_command("routes", example="asok routes\nasok routes --json\nasok routes --match /blog/hello")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")
@click.option("--match", "url", metavar="URL", help="Show which page answers URL, and why.")
def routes(as_json: bool, url: str | None) -> None:
    """List the pages of the site and how each is made.

    The order is the one in which they are asked: a page further up wins. With --match the
    command exits with 1 where no page answers.
    """
    root = find_site()
    without_key()
    app = import_site(root)
    lines = listing(app)
    if url is not None:
        _match(app, lines, url, as_json)
    elif as_json:
        click.echo(json.dumps([line.as_json(app.root) for line in lines], indent=2))
    else:
        _table(lines, app.root)


def mode_text(line: Line) -> str:
    """How a page is made, in words: "isr 1 h, live"."""
    text = line.mode
    if line.revalidate is not None:
        text += f" {seconds(line.revalidate)}"
    return text + (", live" if line.live else "") + (", guarded" if line.guarded else "")


def _table(lines: Sequence[Line], root: Path) -> None:
    if not lines:
        click.echo("This site has no pages. Write one: asok make page about")
        return
    widths = [
        max(len(text) for text in column)
        for column in zip(*((line.pattern, mode_text(line)) for line in lines), strict=True)
    ]
    methods = max(len(line.called) for line in lines)
    for line in lines:
        mode = click.style(mode_text(line).ljust(widths[1]), fg=_COLOURS[line.mode])
        file = click.style(str(line.file.relative_to(root)), dim=True)
        called = line.called.ljust(methods)
        click.echo(f"{line.pattern.ljust(widths[0])}  {mode}  {called}  {file}")


def _match(app: Asok, lines: Sequence[Line], url: str, as_json: bool) -> None:
    path = unquote(urlsplit(url).path) or "/"
    match = app.router.match(path)
    target = app.router.redirect(path) if match is None else None
    near = app.router.nearest(path) if match is None else []
    line = next((one for one in lines if match and one.pattern == match.route.pattern), None)
    if as_json:
        params = {name: str(value) for name, value in match.params.items()} if match else {}
        found: dict[str, Any] = {
            "path": path,
            "route": line.as_json(app.root) if line else None,
            "params": params,
            "redirect": target,
            "nearest": near,
        }
        click.echo(json.dumps(found, indent=2))
    elif match is not None and line is not None:
        click.echo(f"{path} is answered by {click.style(line.pattern, bold=True)}")
        click.echo(f"  file    {line.file.relative_to(app.root)}")
        click.echo(f"  made    {mode_text(line)}")
        for name, value in match.params.items():
            kind = match.route.params[name]
            click.echo(f"  {name} = {value!r}  ({'text' if kind == 'plain' else kind})")
        others = _others(app, path, match.route.pattern)
        if others:
            click.echo(f"  before  {', '.join(others)}, which would answer it too")
    elif target is not None:
        click.echo(f"{path} is redirected to {target}")
    else:
        click.echo(f"No page answers {path}.")
        if near:
            click.echo(f"  Did you mean {' or '.join(near)}?")
        inner = path.strip("/") or "index"
        click.echo(f"  Or write it: asok make page {inner}")
    if match is None and target is None:
        raise click.exceptions.Exit(1)


def _others(app: Asok, path: str, pattern: str) -> list[str]:
    """Return the routes further down that would answer `path` if this one were not there."""
    from asok.pages import Router

    rest = list(app.router.routes)
    found: list[str] = []
    while True:
        rest = [route for route in rest if route.pattern not in (pattern, *found)]
        match = Router(rest).match(path)
        if match is None:
            return found
        found.append(match.route.pattern)
