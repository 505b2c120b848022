"""Reads leave no transaction open, writes are whole, the pool's connections stay as they were."""

# ruff: noqa: PT012  a block that is left by an error is what these tests are about

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from asok.models import Database, scope

from .shop import Entry, Keyword, Writer


@pytest.fixture
def states(database: Database) -> Generator[psycopg.Connection | None]:
    """A connection that watches the others; None on SQLite."""
    if database.is_sqlite:
        yield None
        return
    url = database.engine.url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as opened:
        yield opened


def idle_in_transaction(database: Database, watching: psycopg.Connection | None) -> int:
    """How many connections sit in a transaction without doing anything."""
    if watching is None:
        return int(driver(scope_connection(database)).in_transaction)
    row = watching.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state LIKE 'idle in transaction%'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def scope_connection(database: Database) -> Connection:
    with database.work() as work:
        return work.get_bind()


def test_neither_reads_nor_writes_leave_a_transaction_open(
    database: Database, states: psycopg.Connection | None
) -> None:
    with scope():
        entry = Entry.create(slug="a", writer=Writer(name="Ann"))
        steps = {
            "create": lambda: None,
            "get": lambda: Entry.query().get(),
            "find": lambda: Entry.find(entry.id),
            "count": lambda: Entry.query().count(),
            "refresh": lambda: entry.refresh(),
            "lazy": lambda: Entry.find_or_fail(entry.id).writer,
            "update": lambda: entry.update(views=3),
            "bulk": lambda: Entry.query().update(views=4),
        }
        for name, step in steps.items():
            step()
            assert idle_in_transaction(database, states) == 0, name
        with pytest.raises(IntegrityError):
            Entry.create(slug="a")
        assert idle_in_transaction(database, states) == 0
        with Entry.transaction():
            Entry.create(slug="b")
            assert idle_in_transaction(database, states) == 1
        assert idle_in_transaction(database, states) == 0
        with pytest.raises(ZeroDivisionError), Entry.transaction():
            Entry.query().delete()
            raise ZeroDivisionError
        assert idle_in_transaction(database, states) == 0
        assert Entry.query().count() == 2


def test_only_connections_of_scopes_commit_by_themselves(
    database: Database, states: psycopg.Connection | None
) -> None:
    if states is None:
        return
    Entry.create(slug="a")
    with scope():
        Entry.query().get()
        assert driver(scope_connection(database)).autocommit is True
    with database.connect() as connection:
        assert driver(connection).autocommit is False


def test_a_row_and_what_hangs_on_it_are_written_together_or_not_at_all(
    database: Database,
) -> None:
    Entry.create(slug="taken")
    with scope():
        Entry.all()
        with pytest.raises(IntegrityError):
            Writer(name="Ann", entries=[Entry(slug="new"), Entry(slug="taken")]).save()
        assert Writer.query().count() == 0
    assert Entry.query().pluck("slug") == ["taken"]


def test_a_transaction_stays_one_where_its_block_commits_halfway(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as work:
        Keyword.create(name="kept")
        work.commit()
        Keyword.create(name="undone")
        raise ZeroDivisionError
    assert Keyword.query().pluck("name") == ["kept"]


def test_sql_of_ones_own_outside_a_transaction_is_committed_at_once(database: Database) -> None:
    for opened in (True, False):
        with scope() if opened else database.scope(), database.work() as work:
            work.execute(insert(Keyword).values(name=f"core {opened}"))
            work.execute(text(f"INSERT INTO keywords (name) VALUES ('raw {opened}')"))
    with database.work() as work:
        work.execute(insert(Keyword).values(name="alone"))
    assert Keyword.query().count() == 5


def test_a_connection_that_was_cut_does_not_stop_its_return(
    database: Database, states: psycopg.Connection | None
) -> None:
    if states is None:
        return
    with scope():
        Entry.all()
        states.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(OperationalError):
            Entry.all()
        assert Entry.all() == []
    assert Entry.query().count() == 0
    checked: list[bool] = []
    event.listen(
        database.engine, "checkout", lambda dbapi, *_: checked.append(dbapi.autocommit), once=True
    )
    database.ping()
    assert checked == [False]
