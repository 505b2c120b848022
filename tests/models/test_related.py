"""Cached queries that load relations with their rows."""

from __future__ import annotations

import pytest
from sqlalchemy import ForeignKey, event, func, select, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    column_property,
    joinedload,
    mapped_column,
    relationship,
)

from asok.cache import Cache
from asok.errors import ModelError
from asok.models import Database, configure, configured_database, scope
from asok.models.related import tree

from .region import Region
from .shop import Entry, Keyword, Status, Writer, entry_keywords


@pytest.fixture(params=["region", "memory"])
def cached(request: pytest.FixtureRequest, database: Database, region: Region) -> Database:
    """A database whose cache keeps text, as files and Redis do; and one that keeps objects."""
    if request.param == "memory":
        configure(database, cache=Cache("memory"))
    return database


@pytest.fixture
def entries(cached: Database) -> list[int]:
    """a and b by Ann, c by nobody; a has x and y, b has y. Every statement adds to the list."""
    with scope():
        ann, x, y = Writer.create(name="Ann"), Keyword.create(name="x"), Keyword.create(name="y")
        Entry.create(slug="a", writer=ann, keywords=[x, y], status=Status.PUBLIC)
        Entry.create(slug="b", writer=ann, keywords=[y])
        Entry.create(slug="c")
    asked: list[int] = []
    event.listen(cached.engine, "before_cursor_execute", lambda *_: asked.append(1))
    return asked


QUERY = Entry.query().with_("writer", "keywords").order_by("slug").cache(60)


def shown(rows: list[Entry]) -> list[object]:
    return [
        (row.slug, row.status, row.writer and row.writer.name, [k.name for k in row.keywords])
        for row in rows
    ]


EXPECTED = [
    ("a", Status.PUBLIC, "Ann", ["x", "y"]),
    ("b", Status.DRAFT, "Ann", ["y"]),
    ("c", Status.DRAFT, None, []),
]


def test_related_rows_are_stored_with_the_rows(entries: list[int]) -> None:
    assert shown(QUERY.get()) == EXPECTED
    entries.clear()
    found = QUERY.get()
    assert shown(found) == EXPECTED
    with scope():
        found = QUERY.get()
        assert shown(found) == EXPECTED
        assert QUERY.get() == found
    assert entries == []
    # One row is one object, as SQLAlchemy would have it; with and without a session.
    assert found[0].writer is found[1].writer
    assert found[0].keywords[1] is found[1].keywords[0]
    outside = QUERY.get()
    assert outside[0].writer is outside[1].writer
    first = QUERY.first()
    assert first is not None
    assert first.writer is not None


def test_relations_of_relations_are_stored_and_come_back_to_the_same_rows(
    entries: list[int],
) -> None:
    query = Writer.query().with_("entries.keywords", "entries", "entries.writer").cache(60)
    query.get()
    entries.clear()
    (ann,) = query.get()
    assert [row.slug for row in ann.entries] == ["a", "b"]
    assert [k.name for k in ann.entries[0].keywords] == ["x", "y"]
    assert ann.entries[1].writer is ann
    assert entries == []


def test_a_write_to_any_of_their_tables_ends_the_answer(entries: list[int]) -> None:
    def answer() -> list[object]:
        return shown(QUERY.get())

    assert answer() == EXPECTED
    Writer.where("name", "Ann").update(name="Bea")
    assert "Bea" in str(answer())
    Keyword.where("name", "x").first_or_fail().update(name="z")
    assert "'z'" in str(answer())
    with configured_database().connect() as connection:
        connection.execute(entry_keywords.delete())
    assert "'z'" not in str(answer())
    entries.clear()
    assert "Bea" in str(answer())
    assert entries == []


class Base(DeclarativeBase):
    """Tables that only the test below knows."""


class Vote(Base):
    __tablename__ = "votes"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int]


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    votes = column_property(
        select(func.count(Vote.id)).where(Vote.author_id == id).scalar_subquery()
    )


class Rank(Base):
    __tablename__ = "ranks"
    id: Mapped[int] = mapped_column(ForeignKey("books.id"), primary_key=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()
    beside: Mapped[list[Book]] = relationship(
        primaryjoin="Book.shelf == foreign(remote(Book.shelf))",
        order_by=select(Rank.id).where(Rank.id == id).scalar_subquery(),
        viewonly=True,
    )


def test_what_a_relation_computes_and_orders_by_are_tables_of_the_answer() -> None:
    assert tree(Book, (("author",),)).tables == {"authors", "books", "votes"}
    assert tree(Book, (("beside",),)).tables == {"books", "ranks"}


def test_what_a_session_holds_unwritten_is_neither_stored_nor_overwritten(
    entries: list[int],
) -> None:
    with scope():
        (row, *_) = Entry.query().with_("writer", "keywords").order_by("slug").get()
        assert row.writer is not None
        row.title, row.writer.name = "unwritten", "nobody"
        row.keywords.clear()
        found = QUERY.get()
        assert found[0] is row
        assert row.title == "unwritten"
        assert row.keywords == []
    assert shown(QUERY.get()) == EXPECTED
    with scope():
        assert shown(QUERY.get()) == EXPECTED
        changed = QUERY.get()[0]
        assert changed.writer is not None
        changed.writer.update(name="Bea")
        assert changed.keywords  # not a change of its own: only what was set is written
        changed.update(title="written")
    assert Entry.where("slug", "a").pluck("title") == ["written"]


def test_reading_for_the_cache_leaves_the_scopes_session_and_connection_as_they_were(
    entries: list[int], cached: Database
) -> None:
    with scope():
        kept = Entry.query().order_by("slug").get()
        QUERY.get()
        Entry.create(slug="d")
        assert Entry.query().order_by("slug").first() is kept[0]
        with Entry.transaction():
            Entry.create(slug="e")
            assert len(QUERY.get()) == 5  # in a transaction the database is asked
    with cached.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM entries")).scalar() == 5
    assert len(QUERY.get()) == 5


def test_other_relations_are_another_question(entries: list[int]) -> None:
    base = Entry.query().order_by("slug")
    assert [row.slug for row in base.cache(60).get()] == ["a", "b", "c"]
    assert shown(QUERY.get()) == EXPECTED
    own = Entry.where(Entry.slug == "a").order_by("slug")
    assert own.cache(60).first_or_fail().slug == "a"
    found = own.with_(Entry.writer).cache(60).first_or_fail()
    assert found.writer is not None


def test_an_option_of_sqlalchemys_says_more_than_can_be_stored(cached: Database) -> None:
    with pytest.raises(ModelError, match="Name them"):
        Entry.query().with_(joinedload(Entry.writer)).cache(60).get()
