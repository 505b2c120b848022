"""`asok create`: a new site in a new folder."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import click

from asok.cli.group import NamedChoice, asok_command
from asok.cli.scaffold import TEMPLATES, Scaffold, checked_name

__all__ = ["create"]


@asok_command("create", example="asok create my-site\nasok create my-blog --template blog --yes")
@click.argument("name", required=False)
@click.option(
    "-t",
    "--template",
    type=NamedChoice(list(TEMPLATES)),
    help="What to begin with: " + "; ".join(f"{n} ({w})" for n, w in TEMPLATES.items()) + ".",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; what isn't given is minimal.")
def create(name: str | None, template: str | None, yes: bool) -> None:
    """Start a new site in a new folder.

    NAME is the folder to make; its last part is the site's name. "." means this folder,
    where it is empty. Questions are asked only on a terminal and without --yes.
    """
    started = time.perf_counter()
    asking = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    if name is None:
        if not asking:
            raise click.UsageError("NAME is missing. For example: asok create my-site --yes")
        name = click.prompt("Name of the site", default="my-site", type=str)
        started = time.perf_counter()
    folder = Path(name)
    site = checked_name(folder.resolve().name if name in (".", "./") else folder.name)
    if template is None:
        scaffold = Scaffold("minimal", folder, site)  # refuses a full folder before it asks
        template = _asked_template() if asking else "minimal"
        started = time.perf_counter()
    scaffold = Scaffold(template, folder, site)
    files = scaffold.write()
    took = (time.perf_counter() - started) * 1000
    where = "this folder" if name in (".", "./") else f"{name}/"
    click.echo()
    click.echo(
        f"  {click.style('✓', fg='green', bold=True)} {click.style(site, bold=True)} is in {where}"
        + click.style(f"  {len(files)} files, {took:.0f} ms", dim=True)
    )
    click.echo("\n  Next:\n")
    steps: list[tuple[str, str]] = []
    if name not in (".", "./"):
        steps.append((f"cd {shlex.quote(name)}", ""))
    steps.append(("asok dev", "serve it; edits appear in the browser"))
    width = max(len(step) for step, _ in steps)
    for step, why in steps:
        note = click.style(f"   {why}", dim=True) if why else ""
        click.echo("    " + click.style(step.ljust(width) if why else step, fg="cyan") + note)
    again = f"asok create {shlex.quote(name)} --template {template} --yes"
    click.echo(click.style(f"\n  The same again: {again}\n", dim=True))


def _asked_template() -> str:
    names = list(TEMPLATES)
    click.echo("\nTemplates:")
    for number, name in enumerate(names, 1):
        click.echo(f"  {number}  {name:<9}{click.style(TEMPLATES[name], dim=True)}")
    numbers = {str(number): name for number, name in enumerate(names, 1)}
    answer: str = click.prompt(
        "Template",
        default=names[0],
        type=NamedChoice([*names, *numbers]),
        show_choices=False,
    )
    return numbers.get(answer, answer)
