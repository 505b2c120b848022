"""`asok migrate`: runs, undoes and lists the migrations of a site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from asok.cli.database import MIGRATIONS, open_database
from asok.cli.group import asok_command
from asok.cli.site import find_site

if TYPE_CHECKING:
    from asok.models.migrations import Migration, Status

__all__ = ["migrate"]


@asok_command(
    "migrate",
    example="asok migrate\nasok migrate --status\nasok migrate --rollback\n"
    "asok migrate --rollback --to 20260101_000000",
)
@click.option("--status", "only_status", is_flag=True, help="Show where the database stands.")
@click.option("--rollback", is_flag=True, help="Undo the last migration, or all after --to.")
@click.option("--to", metavar="REVISION", help='Stop at this revision; "base" undoes all.')
def migrate(only_status: bool, rollback: bool, to: str | None) -> None:
    """Bring the database to the newest migration.

    Each migration of src/migrations runs in a transaction of its own, in order. With
    --status the command exits with 1 while migrations are pending.
    """
    if only_status and (rollback or to is not None):
        raise click.UsageError("--status changes nothing: give it without --rollback and --to.")
    if to == "base" and not rollback:
        raise click.UsageError("--to base undoes every migration: add --rollback.")
    root = find_site()
    database = open_database(root)
    from asok.models import migrations

    folder = root / MIGRATIONS
    if only_status:
        status = migrations.status(database, folder)
        _show_status(status)
        if status.pending:
            raise click.exceptions.Exit(1)
    elif rollback:
        undone = migrations.rollback(database, folder, to)
        _show(undone, "undone", "There is nothing to undo.")
    else:
        ran = migrations.migrate(database, folder, to)
        _show(ran, "applied", "The database is up to date.")


def _show(migrations: Sequence[Migration], word: str, nothing: str) -> None:
    for migration in migrations:
        _line(word, "green", migration)
    if not migrations:
        click.echo(nothing)


def _line(word: str, colour: str, migration: Migration) -> None:
    name = click.style(migration.revision, dim=True)
    click.echo(f"{click.style(f'{word:<8}', fg=colour)} {name}  {migration.message}")


def _show_status(status: Status) -> None:
    for migration in status.applied:
        _line("applied", "green", migration)
    for migration in status.pending:
        _line("pending", "yellow", migration)
    if status.pending:
        click.echo("\nRun them: asok migrate")
    elif status.changes:
        click.echo("\nThe models have what no migration makes:")
        for change in status.changes:
            click.echo(f"  - {change}")
        click.echo('\nWrite one: asok make migration "what it does"')
    elif status.applied:
        click.echo("\nDatabase, migrations and models agree.")
    else:
        click.echo("There are no models and no migrations.")
