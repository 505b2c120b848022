"""Makes SQLAlchemy's engine from a database URL: drivers, SQLite's settings, clearer errors."""

from __future__ import annotations

import os
import re
import weakref
from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnClause, Engine, Insert, create_engine, event
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import Table
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Delete, UpdateBase

from asok import dependencies
from asok.errors import ConfigurationError, ModelError
from asok.models.autocommit import restore
from asok.sqlite_file import turn_to_wal

__all__ = ["WRITTEN", "make_engine", "table_names"]

#: Seconds that SQLite waits for another writer before "database is locked".
BUSY_TIMEOUT = 5.0
#: Where a connection's `info` keeps the names of the tables written since the last commit.
WRITTEN = "asok.written"

_EXAMPLES = "sqlite:///db.sqlite3 or postgresql://user:password@host/name"
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def make_engine(url: str, *, echo: bool = False) -> Engine:
    """Return an engine for `url`; nothing is connected yet.

    `postgresql://` (and `postgres://`) mean psycopg 3. A file of SQLite gets write-ahead
    logging, checked foreign keys and a busy timeout of 5 s; its folder is made. Raises
    `ConfigurationError` for a URL or a driver that can't be used.
    """
    parsed = _parse(url)
    options: dict[str, Any] = {"echo": echo}
    if parsed.get_backend_name() == "sqlite":
        # Python's sqlite3 then opens the transaction of a first INSERT/UPDATE/DELETE with the
        # write lock, where the busy timeout applies. A deferred transaction would take the
        # lock later and fail at once if another writer was faster (SQLITE_BUSY_SNAPSHOT).
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "isolation_level": "IMMEDIATE"}
        if parsed.database in (None, "", ":memory:"):
            options["poolclass"] = StaticPool
            options["connect_args"]["check_same_thread"] = False
        elif parsed.query.get("uri") is None:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    else:
        # A server that was restarted costs one round trip to find out, not a failed page.
        options["pool_pre_ping"] = True
    try:
        engine = create_engine(parsed, **options)
    except NoSuchModuleError as error:
        raise ConfigurationError(
            f"DATABASE_URL begins with {parsed.drivername!r}, which no installed driver serves.",
            fix=f"Use {_EXAMPLES}.",
        ) from error
    except ModuleNotFoundError as error:
        fix = 'Run pip install "asok[postgres]".' if error.name == "psycopg" else "Install it."
        raise ConfigurationError(
            f"DATABASE_URL needs the driver {error.name}, which is not installed.", fix=fix
        ) from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    if engine.dialect.driver == "psycopg":
        event.listen(engine, "checkin", restore)
    event.listen(engine, "before_cursor_execute", _note_query)
    event.listen(engine, "after_execute", _note_written)
    event.listen(engine, "handle_error", _explain)
    _engines.add(engine)
    return engine


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            # Not the value itself: it may hold a password.
            "DATABASE_URL is no database URL.",
            fix=f"It looks like {_EXAMPLES}.",
        ) from error
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def _prepare_sqlite(connection: Any, _record: object) -> None:
    turn_to_wal(connection)
    cursor = connection.cursor()
    # With WAL, NORMAL loses the last commits in a power cut but never the database's health.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _forget_connections() -> None:
    for engine in tuple(_engines):
        # The parent process goes on using its connections: drop them here without closing.
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections)


def table_names(statement: Any) -> frozenset[str]:
    """Return the names of all tables that an SQLAlchemy statement mentions, subqueries included."""
    found: set[str] = set()
    for element in visitors.iterate(statement):
        # A column may be all that is said of its table: where(Entry.writer_id == Writer.id).
        source: Any = element.table if isinstance(element, ColumnClause) else element
        if isinstance(source, Table):
            found.add(str(source.fullname))
        elif isinstance(element, ColumnClause) and source is not None:
            found |= table_names(source)
    return frozenset(found)


def _note_query(*_: object) -> None:
    """Tell a build that what renders now was made from data."""
    if dependencies.current is not None:
        dependencies.data()


def _note_written(
    connection: Connection,
    statement: Any,
    _many: object,
    _parameters: object,
    _options: object,
    result: Any,
) -> None:
    # WITH moved AS (DELETE … RETURNING …) SELECT …
    inner = getattr(getattr(result.context, "compiled", None), "ctes", None) or ()
    for write in (statement, *(part.element for part in inner)):
        if not isinstance(write, UpdateBase):
            continue
        table: Any = write.table
        names = {str(table.fullname)} if isinstance(table, Table) else set(table_names(table))
        if isinstance(table, Table) and not isinstance(write, Insert):
            rule = "ondelete" if isinstance(write, Delete) else "onupdate"
            names |= _follow(cast("Table", table), rule)
        connection.info.setdefault(WRITTEN, set()).update(names)


def _follow(table: Table, rule: str) -> set[str]:
    """The tables in which the database itself deletes or changes rows after a write."""
    found: set[str] = set()
    rest = [str(table.fullname)]  # by name: a statement holds annotated copies of tables
    while rest:
        gone = rest.pop()
        for other in table.metadata.tables.values():
            for key in other.foreign_keys:
                does = (getattr(key, rule) or "").upper()
                name = str(other.fullname)
                if name in found or does in ("", "RESTRICT", "NO ACTION"):
                    continue
                if str(key.column.table.fullname) == gone:
                    found.add(name)
                    if does == "CASCADE":
                        rest.append(name)
    return found


_MISSING = re.compile(
    r"no such (?P<kind>table|column): (?:\w+\.)?(?P<name>\w+)"
    r"|has no column named (?P<column>\w+)"
    r'|(?P<pg_kind>relation|column) "?(?:\w+\.)?(?P<pg_name>\w+)"?.* does not exist'
)


def _explain(context: ExceptionContext) -> ModelError | None:
    """Turn "no such table" into an error that says which command makes it."""
    message = str(context.original_exception).split("\n", 1)[0]
    found = _MISSING.search(message)
    if found is None or context.statement is None:
        return None
    name = found["name"] or found["column"] or found["pg_name"]
    is_table = found["kind"] == "table" or found["pg_kind"] == "relation"
    return ModelError(
        f"the database has no {'table' if is_table else 'column'} {name} ({message}).",
        fix='Run `asok make migration "…"` where a model changed, then `asok migrate`.',
    )
