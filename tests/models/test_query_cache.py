"""Cached queries: what hits, what misses, and what a write does to them."""

# ruff: noqa: PT012  a block that is left by an error is what these tests are about

from __future__ import annotations

import contextvars
import datetime
import enum
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from asok.errors import ModelError
from asok.models import Database, configure, configured_database, scope
from asok.models.rows import pack, unpack

from .region import Region
from .shop import Animal, Dog, Entry, Keyword, Parcel, Status, Writer, entry_keywords

pytestmark = pytest.mark.usefixtures("database")


def popular() -> list[str]:
    return [post.slug for post in Entry.query().order_by("-views").limit(10).cache(ttl=300).get()]


def test_a_hit_uses_no_connection(database: Database, region: Region) -> None:
    Entry.create(slug="a")
    assert popular() == ["a"]
    taken: list[int] = []
    event.listen(database.engine, "checkout", lambda *_: taken.append(1))
    assert popular() == ["a"]
    with scope():
        assert popular() == ["a"]
    assert taken == []
    assert region.computed == 1


def test_every_ending_can_be_cached(region: Region) -> None:
    Entry.create(slug="a", views=3, status=Status.PUBLIC)
    query = Entry.where("slug", "a").cache(60)

    def answers() -> list[Any]:
        return [
            query.get()[0].to_dict(),
            query.first_or_fail().to_dict(),
            query.pluck("slug"),
            query.pluck("status", "slug"),
            query.count(),
            query.sum("views"),
            query.exists(),
            query.group_by("status").count(),
            query.paginate().to_dict(),
        ]

    first = answers()
    computed = region.computed
    assert answers() == first
    assert region.computed == computed
    assert first[7] == {Status.PUBLIC: 1}


def test_rows_from_the_cache_are_like_rows_from_the_database(region: Region) -> None:
    made = Parcel.create(
        price=Decimal("1.50"),
        day=datetime.date(2026, 1, 2),
        hour=datetime.time(3, 4),
        content=b"\xff",
        data={"a": [1]},
        words=["x"],
    )
    Parcel.query().cache(60).get()
    (found,) = Parcel.query().cache(60).get()
    assert found.to_dict() == made.to_dict()
    assert isinstance(found, Parcel)
    found.update(weight=9.5)
    assert Parcel.find_or_fail(made.id).weight == 9.5
    assert Parcel.query().cache(60).get()[0].weight == 9.5


def test_in_a_scope_cached_rows_load_their_relations_and_are_the_loaded_ones() -> None:
    Entry.create(slug="a", writer=Writer(name="Ann"))
    Entry.query().cache(60).get()
    with scope():
        (post,) = Entry.query().cache(60).get()
        assert post.writer is not None
        assert post.writer.name == "Ann"
        assert Entry.query().first() is post
        assert Entry.query().cache(60).get() == [post]


def test_different_questions_have_different_keys(region: Region) -> None:
    Entry.create(slug="1", title="1", views=1)
    questions = [
        Entry.where("slug", "1"),
        Entry.where("title", "1"),
        Entry.where("slug", "!=", "1"),
        Entry.where("slug", "in", ["1"]),
        Entry.where("slug", "in", ["1", "2"]),
        Entry.where("slug", "in", ["2", "1"]),
        Entry.where("slug", "1").limit(1),
        Entry.where("slug", "1").limit(2),
        Entry.where("slug", "1").offset(0),
        Entry.where("slug", "1").order_by("id"),
        Entry.where("slug", "1").order_by("-id"),
        Entry.where("slug", None),
        Entry.where("slug", "!=", None),
        Entry.where("slug", "1").where("views", 1),
        Entry.where("slug", "1").or_where("views", 1),
        Entry.where(Entry.slug == "1"),
        Entry.where(Entry.slug == "2"),
        Entry.query().order_by(Entry.slug),
    ]
    for query in questions:
        query.cache(60).get()
    for query in questions:
        query.cache(60).count()
    # (order_by changes no count: its statement is the same one)
    assert region.computed >= 2 * len(questions) - 6
    computed = region.computed
    for query in questions:
        query.cache(60).get()
    assert region.computed == computed


def test_typed_parameters_do_not_collide(region: Region) -> None:
    query = Entry.query()
    keys: set[str] = set()
    for value in ("1", 1, 1.0, True, b"1", None, datetime.date(2026, 1, 1), "2026-01-01"):
        before = set(region.stored)
        asked = query.where("slug", value).cache(60)
        database = configured()
        assert database.queries is not None
        plan = asked._plan  # pyright: ignore[reportPrivateUsage]
        database.queries.rows(plan, ("get",), lambda asked=asked: asked.statement, lambda _: ())
        keys |= {key for key in region.stored if key.startswith("query:")} - before
    assert len(keys) == 8


def test_members_of_the_same_name_are_different_values() -> None:
    few, many = enum.IntEnum("Few", {"LOW": 1}), enum.IntEnum("Many", {"LOW": 100})
    Entry.create(slug="a", views=1)
    Entry.create(slug="b", views=100)
    for given, slug in ((few.LOW, "a"), (many.LOW, "b")):
        query = Entry.query().cache(60)
        assert query.where("views", given).pluck("slug") == [slug]
        assert query.where_in("views", [given]).pluck("slug") == [slug]


def configured() -> Database:
    return configured_database()


def test_a_write_makes_older_entries_unreachable() -> None:
    Entry.create(slug="a")
    assert popular() == ["a"]
    post = Entry.create(slug="b", views=1)
    assert popular() == ["b", "a"]
    post.update(views=-1)
    assert popular() == ["a", "b"]
    Entry.where("slug", "a").update(views=-5)
    assert popular() == ["b", "a"]
    post.delete()
    assert popular() == ["a"]
    Entry.query().delete()
    assert popular() == []


def test_a_write_to_another_table_leaves_them() -> None:
    Entry.create(slug="a")
    popular()
    region = configured().queries
    assert region is not None
    Keyword.create(name="x")
    with Entry.transaction() as session:
        session.execute(text("UPDATE entries SET slug = 'raw'"))
    assert popular() == ["a"]
    configured().changed("entries")
    assert popular() == ["raw"]


def test_a_query_over_several_tables_depends_on_each() -> None:
    tag = Keyword.create(name="x")
    Entry.create(slug="a", keywords=[tag])
    Entry.create(slug="b")

    def tagged() -> list[str]:
        return (
            Entry.where(Entry.keywords.any(Keyword.name == "x"))
            .order_by("slug")
            .cache(60)
            .pluck("slug")
        )

    assert tagged() == ["a"]
    with scope():
        b = Entry.where("slug", "b").first_or_fail()
        b.keywords.append(Keyword.find_or_fail(tag.id))
        b.save()
    assert tagged() == ["a", "b"]
    tag.update(name="y")
    assert tagged() == []
    tag.update(name="x")
    assert tagged() == ["a", "b"]
    with configured().connect() as connection:
        connection.execute(entry_keywords.delete())
    assert tagged() == []


def test_a_query_depends_on_tables_that_only_a_column_names() -> None:
    ann = Writer.create(name="Ann")
    Entry.create(slug="a", writer_id=ann.id)
    query = Entry.where(Entry.writer_id == Writer.id).where(Writer.name == "Ann").cache(60)
    assert query.count() == 1
    ann.update(name="Bea")
    assert query.count() == 0


def test_a_rollback_changes_nothing_and_a_transaction_neither_reads_nor_fills(
    region: Region,
) -> None:
    Entry.create(slug="a")
    assert popular() == ["a"]
    stored = dict(region.stored)
    with pytest.raises(ZeroDivisionError), Entry.transaction():
        Entry.create(slug="b", views=1)
        assert popular() == ["b", "a"]
        raise ZeroDivisionError
    assert region.stored == stored
    assert popular() == ["a"]
    with Entry.transaction():
        Entry.create(slug="b", views=1)
        with Entry.transaction():
            Entry.create(slug="c", views=2)
        assert region.stored == stored
    assert popular() == ["c", "b", "a"]


def test_a_slow_reader_does_not_store_what_a_write_made_old(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    Entry.create(slug="a")
    reading, written = threading.Event(), threading.Event()
    real = Region.set

    def slow(self: Region, key: str, value: Any, ttl: float | None = None) -> None:
        if key.startswith("query:") and not reading.is_set():
            reading.set()
            assert written.wait(20)
        real(self, key, value, ttl)

    monkeypatch.setattr(Region, "set", slow)
    results: list[list[str]] = []
    thread = threading.Thread(target=lambda: results.append(popular()))
    thread.start()
    assert reading.wait(20)
    Entry.create(slug="b", views=1)
    written.set()
    thread.join()
    assert results == [["a"]]
    assert popular() == ["b", "a"]


def test_another_context_than_the_transactions_is_not_in_it(region: Region) -> None:
    Entry.create(slug="a")
    with Entry.transaction():
        thread = threading.Thread(target=contextvars.Context().run, args=(popular,))
        thread.start()
        thread.join()
    assert region.computed == 1


def test_writes_by_core_in_the_session_are_noticed() -> None:
    popular()
    with scope(), configured().work() as session:
        now = datetime.datetime.now(datetime.UTC)
        session.execute(insert(Entry).values(slug="a", created_at=now, updated_at=now))
        session.execute(insert(Entry), [{"slug": "b", "created_at": now, "updated_at": now}])
        session.commit()
    assert sorted(popular()) == ["a", "b"]


def test_a_token_that_was_evicted_costs_a_miss(region: Region) -> None:
    Entry.create(slug="a")
    popular()
    for key in [key for key in region.stored if key.startswith("table:")]:
        del region.stored[key]
    assert popular() == ["a"]
    assert region.computed == 2


@pytest.mark.parametrize(
    ("ttl", "stored"),
    [(60, 60.0), (0.5, 0.5), (None, None), (datetime.timedelta(minutes=1), 60.0)],
)
def test_times_to_live(region: Region, ttl: Any, stored: float | None) -> None:
    Entry.query().cache(ttl).get()
    assert [t for key, t in region.ttls.items() if key.startswith("query:")] == [stored]


@pytest.mark.parametrize("ttl", [0, -1, datetime.timedelta(0)])
def test_no_time_means_not_stored(region: Region, ttl: Any) -> None:
    Entry.query().cache(ttl).get()
    assert region.stored == {}


@pytest.mark.parametrize("ttl", ["60", True, object()])
def test_what_is_no_time_is_refused(ttl: Any) -> None:
    with pytest.raises(ModelError, match="is no time"):
        Entry.query().cache(ttl)


def test_without_a_cache_the_query_runs_every_time(database: Database) -> None:
    configure(database)
    Entry.create(slug="a")
    assert popular() == ["a"]
    Entry.where("slug", "a").update(slug="b")
    assert popular() == ["b"]


def test_rows_that_the_database_deletes_or_changes_itself_are_noticed() -> None:
    ann = Writer.create(name="Ann")
    Entry.create(slug="a", writer_id=ann.id)
    query = Entry.query().cache(60)
    assert query.pluck("writer_id") == [ann.id]
    Writer.query().delete()  # on_delete="set null"
    assert query.pluck("writer_id") == [None]


def test_first_or_create_asks_the_database_and_not_the_cache() -> None:
    query = Keyword.query().cache(60)
    assert query.where("name", "x").first() is None
    with configured().connect() as connection:
        connection.execute(text("INSERT INTO keywords (name) VALUES ('x')"))
    assert query.first_or_create(name="x").name == "x"
    assert Keyword.query().count() == 1


def test_databases_are_told_apart_in_one_cache(tmp_path: Path) -> None:
    names = {
        Database(url).identity
        for url in (
            "sqlite://",
            "sqlite://",
            f"sqlite:///{tmp_path}/a.db",
            f"sqlite:///{tmp_path}/b.db",
            "postgresql://me:one@localhost/x",
            "postgresql://me:two@localhost/x",
            "postgresql://me@otherhost/x",
        )
    }
    assert len(names) == 6
    assert not any("one" in name or "two" in name for name in names)
    relative = Database("sqlite:///somewhere.db").identity
    assert relative == f"sqlite:///{Path.cwd()}/somewhere.db"


def test_instances_of_subclasses_come_back_as_such() -> None:
    Dog.create(name="Rex", bark="loud")
    for _ in range(2):
        with scope():
            (rex,) = Animal.query().cache(60).get()
            assert isinstance(rex, Dog)
            assert rex.bark == "loud"


@pytest.mark.parametrize("value", [object(), Decimal, {"a": object()}])
def test_values_that_would_not_come_back_are_refused(database: Database, value: Any) -> None:
    assert database.queries is not None
    query = Entry.query().cache(60)
    with pytest.raises(ModelError, match="can't give back"):
        database.queries.rows(
            query._plan,  # pyright: ignore[reportPrivateUsage]
            ("get",),
            lambda: query.statement,
            lambda _: pack([(value,)], [None]),
        )
    with pytest.raises(ModelError, match="names no entry"):
        Entry.where("slug", value).cache(60).get()


def test_members_of_an_enumeration_come_back_where_the_column_tells_their_class() -> None:
    rows = [(1, Status.PUBLIC), (2, None)]
    columns = [Entry.views, Entry.status]
    assert [tuple(row) for row in unpack(pack(rows, columns), columns)] == rows
    with pytest.raises(ModelError, match="a Status in a column that is no enumeration"):
        pack(rows, [Entry.views, Entry.views])


def test_many_shapes_do_not_grow_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asok.models.query_cache.MEMO_LIMIT", 5)
    for number in range(12):
        Entry.where("id", "in", range(number)).cache(60).exists()
    queries = configured().queries
    assert queries is not None
    assert len(queries._texts) <= 5  # pyright: ignore[reportPrivateUsage]
