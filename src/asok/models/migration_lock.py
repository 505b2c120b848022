"""One process migrates at a time, on a connection on which tables can be made anew."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from asok import atomic
from asok.models.database import Database

__all__ = ["alone", "broken_references"]

#: The key of PostgreSQL's advisory lock; any fixed number will do ("asok" in ASCII).
_LOCK = 0x61736F6B


def broken_references(connection: Connection) -> set[tuple[Any, ...]]:
    """Return (table, row, referred table) of SQLite's rows that refer to missing ones."""
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return {(row[0], row[1], row[2]) for row in rows}


@contextmanager
def alone(database: Database) -> Generator[Connection]:
    """Yield a connection while no other process migrates this database."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "postgresql":
            # Held by the session, so that it outlives the transaction of each migration.
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            try:
                yield connection
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
            return
        if not database.is_sqlite:
            yield connection
            return
        file = database.engine.url.database
        with atomic.FileLock(f"{file}.migrate").hold() if file else nullcontext():
            # Batch mode drops and renames tables: with foreign keys checked that deletes the
            # rows that refer to them. Only outside a transaction can this be switched off.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()
            event.listen(connection, "begin", _begin)
            try:
                yield connection
            finally:
                event.remove(connection, "begin", _begin)
                connection.rollback()
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")
                connection.rollback()


def _begin(connection: Connection) -> None:
    # Python's sqlite3 begins no transaction for DDL by itself.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
