"""What a statement reads and writes, also where it does not name it; keys; URLs of SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column
from sqlalchemy.types import UserDefinedType

from asok.models import Database, configure
from asok.models.engine import table_names
from asok.models.keys import key_of, key_values
from asok.models.migration_lock import alone

from .shop import Entry, Keyword, Stock, Writer


def written(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What the database is told of each commit, from now on."""
    told: list[set[str]] = []
    monkeypatch.setattr(database, "changed", lambda *tables, **_: told.append(set(tables)))
    return told


def test_rows_that_an_update_of_a_key_takes_along_are_written_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = MetaData()
    towns = Table("towns", metadata, Column("code", String(5), primary_key=True))
    key = ForeignKey("towns.code", onupdate="CASCADE")
    streets = Table(
        "streets", metadata, Column("id", Integer, primary_key=True), Column("town", key)
    )
    metadata.create_all(database.engine)
    told = written(database, monkeypatch)
    try:
        with database.connect() as connection:
            connection.execute(insert(towns).values(code="A"))
        with database.connect() as connection:
            connection.execute(insert(streets).values(id=1, town="A"))
        with database.connect() as connection:
            connection.execute(update(towns).values(code="B"))
            assert connection.scalar(select(streets.c.town)) == "B"
    finally:
        metadata.drop_all(database.engine)
    assert told == [{"towns"}, {"streets"}, {"towns", "streets"}]


def test_a_write_inside_a_select_is_noticed(
    postgres_shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_shop)
    configure(database)
    told = written(database, monkeypatch)
    made = insert(Keyword).values(name="cte").returning(Keyword.id).cte("made")
    with database.connect() as connection:
        assert connection.scalar(select(made.c.id))
    Keyword.where("name", "cte").delete()
    assert told[0] == {"keywords"}
    configure(None)
    database.dispose()


def test_sqlite_by_its_own_uri(tmp_path: Path) -> None:
    database = Database(f"sqlite:///file:{tmp_path}/by-uri.db?uri=true")
    database.ping()
    assert (tmp_path / "by-uri.db").exists()
    # A database that Asok knows nothing of is migrated without a lock.
    database.is_sqlite = False
    with alone(database) as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    database.dispose()


def test_tables_that_only_an_order_names() -> None:
    writer = aliased(Writer)
    assert table_names(select(Entry.id).order_by(writer.name)) == {"entries", "writers"}


def test_keys_as_callers_give_them() -> None:
    class Odd(DeclarativeBase):
        pass

    class Point(UserDefinedType[str]):
        cache_ok = True

        @property
        def python_type(self) -> type[str]:
            raise NotImplementedError

    class Place(Odd):
        __tablename__ = "odd_places"
        at: Mapped[str] = mapped_column(Point, primary_key=True)

    assert key_values(inspect(Place), "1,2") == ("1,2",)  # a type that doesn't say what it holds
    assert key_of(Keyword(name="new")) is None


def test_keys_of_rows(database: Database) -> None:
    assert key_of(Stock.create(shelf=1, place=2)) == (1, 2)
