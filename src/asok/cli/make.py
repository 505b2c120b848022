"""`asok make`: writes a page, a component, a model or a migration that runs unedited."""

from __future__ import annotations

import click

from asok.cli import generators
from asok.cli.database import MIGRATIONS, open_database
from asok.cli.failure import shown_path
from asok.cli.group import CommandGroup, asok_command
from asok.cli.site import find_site

__all__ = ["make"]

_TABLE = {
    "page": ("asok.cli.make:page", "Write a page: its Python and its template."),
    "component": ("asok.cli.make:component", "Write a live component and its template."),
    "model": ("asok.cli.make:model", "Write a model."),
    "migration": ("asok.cli.make:migration", "Write a migration for what changed in the models."),
}

make = CommandGroup(
    "make",
    table=_TABLE,
    help="Write a page, component, model or migration. What is written runs as it is, and "
    "nothing that exists is overwritten.",
    epilog="asok make page blog/[slug]\nasok make component Search\nasok make model Post\n"
    'asok make migration "add posts"',
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _write(files: list[generators.Made]) -> None:
    for path in generators.write(files):
        click.echo(f"{click.style('made', fg='green')}  {shown_path(path)}")


def _next(text: str) -> None:
    click.echo(click.style(f"next  {text}", dim=True))


@asok_command("page", example="asok make page about\nasok make page 'blog/[slug]'")
@click.argument("path")
def page(path: str) -> None:
    """Write a page: its Python and its template.

    PATH is its address: about, blog/[slug], shop/[id:int], docs/[...path]. Quote brackets,
    which shells may take for patterns.
    """
    made = generators.page(find_site(), path)
    _write(made.files)
    _next(f"open {made.url} while asok dev runs")


@asok_command("component", example="asok make component Search")
@click.argument("name")
def component(name: str) -> None:
    """Write a live component and its template.

    NAME is the name of its class.
    """
    made = generators.component(find_site(), name)
    _write(made)
    _next("put it on a page: {{ component('" + name + "') }}")


@asok_command("model", example="asok make model Post")
@click.argument("name")
def model(name: str) -> None:
    """Write a model.

    NAME is the name of its class, in the singular.
    """
    _write(generators.model(find_site(), name))
    _next(f'asok make migration "add {name.lower()}", then asok migrate')


@asok_command(
    "migration",
    example='asok make migration "add posts"\nasok make migration "fill slugs" --empty',
)
@click.argument("message")
@click.option("--empty", is_flag=True, help="Without steps, to be written by hand.")
def migration(message: str, empty: bool) -> None:
    """Write a migration for what changed in the models.

    MESSAGE says what it does. The models are compared with the database, which must have
    every earlier migration.
    """
    root = find_site()
    database = open_database(root)
    from asok.models.migrations import make_migration

    drafted = make_migration(database, root / MIGRATIONS, message, empty=empty)
    click.echo(f"{click.style('made', fg='green')}  {shown_path(drafted.path)}")
    for loss in drafted.losses:
        click.echo(f"{click.style('loses', fg='yellow')} {loss}")
    _next("read it, then: asok migrate")
