"""Migrations of a site: files in `src/migrations`, made by comparing, run in order.

The files are plain Alembic revisions and the table `alembic_version` is Alembic's; there is
no `alembic.ini` and no `env.py`. Each migration runs in a transaction of its own; several
processes that migrate at once wait for each other.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from asok import atomic, site_modules
from asok.errors import MigrationError, ModelError
from asok.models.autogenerate import Changes, compare, new_path, options, source
from asok.models.database import Database
from asok.models.migration_lock import alone, broken_references
from asok.models.model import Model
from asok.models.naming import suggest
from asok.models.stopped import failed

__all__ = ["Drafted", "Migration", "Status", "make_migration", "migrate", "rollback", "status"]


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file: its revision, the first line of its docstring, and its path."""

    revision: str
    message: str
    path: Path


@dataclass(frozen=True, slots=True)
class Drafted:
    """A migration that was written: its file, and a sentence for each thing that it destroys."""

    path: Path
    losses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Where a database stands.

    `applied` and `pending` are in the order of running. `changes` says, one sentence each,
    what the models have that no migration does; it is None while migrations are pending,
    because only a database that has them all can be compared.
    """

    applied: tuple[Migration, ...]
    pending: tuple[Migration, ...]
    changes: tuple[str, ...] | None

    @property
    def up_to_date(self) -> bool:
        """Whether database, migrations and models agree."""
        return not self.pending and self.changes == ()


def make_migration(
    database: Database, folder: Path, message: str, *, empty: bool = False
) -> Drafted:
    """Write a migration for what changed in the models since the last one.

    With `empty` the file has no steps, to be written by hand (data). Raises `MigrationError`
    where nothing changed, or where the database lacks a migration to compare with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = _scripts(folder)
    with _errors(), database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options())
        pending = _pending(script, _current(script, context))
        if pending:
            raise MigrationError(
                f"{len(pending)} migrations are not in the database yet "
                f"(the first is {pending[0].path.name}), so it can't be compared.",
                fix="Run `asok migrate` first.",
            )
        changes = Changes((), (), "", "", ()) if empty else _changes(connection)
        head = script.get_current_head()
    if not changes.sentences and not empty:
        raise MigrationError(
            "the models and the database agree, so there is nothing to migrate.",
            fix="Change a model first, or ask for an empty migration.",
        )
    revision, path = new_path(folder, message)
    content = source(changes, message=message, revision=revision, after=head)
    atomic.write(path, content.encode(), mode=0o644)
    return Drafted(path, changes.losses)


def migrate(database: Database, folder: Path, to: str | None = None) -> list[Migration]:
    """Run the pending migrations, up to the revision `to`; return those that ran.

    Raises `MigrationError`; what ran before the one that failed stays.
    """
    if not folder.is_dir():
        return []
    script = _scripts(folder)
    with _errors():
        target = "heads" if to is None else _known(script, to)

        def steps(revisions: Any, _context: object) -> Any:
            return script._upgrade_revs(target, revisions)  # pyright: ignore[reportPrivateUsage]

        with database.engine.connect() as connection:
            now = _current(script, MigrationContext.configure(connection, opts=options()))
        if to is not None and target in {m.revision for m in _applied(script, now)[:-1]}:
            raise MigrationError(
                f"the database is past {target} already.",
                fix=f"To go back: asok migrate --rollback --to {target}.",
            )
        return _run(database, script, steps)


def rollback(
    database: Database, folder: Path, to: str | None = None, *, steps: int = 1
) -> list[Migration]:
    """Undo the last migration, the last `steps`, or all after the revision `to`.

    `to="base"` undoes all. Returns those that were undone, the newest first.
    """
    if not folder.is_dir():
        return []
    script = _scripts(folder)
    with _errors():
        with database.engine.connect() as connection:
            now = _current(script, MigrationContext.configure(connection, opts=options()))
        applied = _applied(script, now)
        if to is None:
            left = applied[: max(0, len(applied) - steps)]
            target = left[-1].revision if left else "base"
        else:
            target = to if to == "base" else _known(script, to)
            if target != "base" and target not in {m.revision for m in applied}:
                raise MigrationError(f"{target} is not in the database, so it can't go back to it.")

        def undo(revisions: Any, _context: object) -> Any:
            return script._downgrade_revs(target, revisions)  # pyright: ignore[reportPrivateUsage]

        return _run(database, script, undo) if applied else []


def status(database: Database, folder: Path) -> Status:
    """Compare files, database and models."""
    if not folder.is_dir():
        with database.engine.connect() as connection:
            return Status((), (), _changes(connection).sentences)
    script = _scripts(folder)
    with _errors(), database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options())
        now = _current(script, context)
        pending = _pending(script, now)
        changes = None if pending else _changes(connection).sentences
    return Status(tuple(_applied(script, now)), tuple(pending), changes)


def _changes(connection: Connection) -> Changes:
    site_modules.load_models()
    return compare(connection, Model.metadata)


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def _migration(script: Script) -> Migration:
    return Migration(script.revision, script.doc, Path(script.path))


def _all(script: ScriptDirectory) -> list[Migration]:
    """Return all migrations, the oldest first. Raises `MigrationError` for two newest ones."""
    heads = script.get_heads()
    if len(heads) > 1:
        names = ", ".join(Path(script.get_revision(head).path).name for head in heads)
        raise MigrationError(
            f"{len(heads)} migrations are the newest: {names}.",
            fix="They were made side by side: set down_revision in one of them to the "
            "revision of the other.",
        )
    return [_migration(found) for found in reversed(list(script.walk_revisions()))]


def _current(script: ScriptDirectory, context: MigrationContext) -> str | None:
    heads = context.get_current_heads()
    known = {migration.revision for migration in _all(script)}
    for head in heads:
        if head not in known:
            raise MigrationError(
                f"the database is at {head}, and no file in {script.dir} has this revision.",
                fix="Restore the file, or use the database that belongs to these migrations.",
            )
    return heads[0] if heads else None


def _applied(script: ScriptDirectory, current: str | None) -> list[Migration]:
    migrations = _all(script)
    names = [migration.revision for migration in migrations]
    return migrations[: names.index(current) + 1] if current is not None else []


def _pending(script: ScriptDirectory, current: str | None) -> list[Migration]:
    return _all(script)[len(_applied(script, current)) :]


def _known(script: ScriptDirectory, revision: str) -> str:
    names = [migration.revision for migration in _all(script)]
    near = [name for name in names if name.startswith(revision)]
    if len(near) != 1 and revision not in names:
        raise MigrationError(
            f"no migration has the revision {revision!r}.", fix=suggest(revision, names)
        )
    return revision if revision in names else near[0]


@contextmanager
def _errors() -> Generator[None]:
    """Turn Alembic's own complaints into ours."""
    try:
        with warnings.catch_warnings():
            # "Revision … referenced from … is not present", followed by a bare KeyError.
            warnings.filterwarnings("error", "Revision", UserWarning)
            yield
    except (CommandError, RevisionError, UserWarning) as error:
        raise MigrationError(f"the migrations can't be used: {error}") from error


def _run(database: Database, script: ScriptDirectory, steps: Any) -> list[Migration]:
    ran: list[Migration] = []
    with alone(database) as connection:
        broken = broken_references(connection) if database.is_sqlite else set[Any]()
        connection.rollback()  # Alembic begins and commits each migration only on its own

        def applied(*, step: Any, **_context: Any) -> None:
            if database.is_sqlite and (found := broken_references(connection) - broken):
                table, _, parent = min(found, key=str)
                raise MigrationError(
                    f"after {step.up_revision_id} rows of {table} would refer to rows of "
                    f"{parent} that are not there."
                )
            ran.append(_migration(script.get_revision(step.up_revision_id)))

        tried: list[Any] = []

        def noted(revisions: Any, context: object) -> Any:
            tried.extend(steps(revisions, context))
            return tried

        opts = options(fn=noted, on_version_apply=[applied], transaction_per_migration=True)
        context = MigrationContext.configure(connection, opts=opts)
        try:
            with context.begin_transaction(), Operations.context(context):
                context.run_migrations()
        except (SQLAlchemyError, ModelError) as error:
            if isinstance(error, MigrationError) or len(ran) == len(tried):
                raise
            raise failed(tried[len(ran)].revision.path, error) from error
    # Tables may have new columns, which compiled statements of this process don't know.
    if not isinstance(database.engine.pool, StaticPool):  # a database in memory would be gone
        database.dispose()
    database.changed(*Model.metadata.tables)
    return ran
