from __future__ import annotations

import logging
from collections.abc import Collection, Generator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import MetaData, insert, text, update
from sqlalchemy.exc import IntegrityError

from asok import site_modules
from asok.errors import ModelError
from asok.models import Database, Mapped, Model, configure, field
from asok.models.revalidates import revalidated

#: Apart from the tables of `shop.py`, which other tests empty.
NOTICES = MetaData()


class Notice(Model):
    revalidates = ("notices", "notice:{slug}", "place:{place}:{slug}")

    metadata = NOTICES  # type: ignore[misc]

    slug: Mapped[str] = field(unique=True)
    place: Mapped[str | None]
    views: Mapped[int] = field(default=0)


class Plain(Model):
    metadata = NOTICES  # type: ignore[misc]

    name: Mapped[str]


_numbers = count()


class Published:
    """What was handed on: one list of tags for each commit."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []

    def __call__(self, tags: Collection[str]) -> None:
        self.commits.append(sorted(tags))

    def take(self) -> list[list[str]]:
        found, self.commits = self.commits, []
        return found


@pytest.fixture
def published(url: str) -> Generator[Published]:
    """A configured database of each kind with the tables of this file; what it publishes."""
    database = Database(url)
    database.create_tables(NOTICES)
    found = Published()
    configure(database, revalidate=found)
    try:
        yield found
    finally:
        configure(None)
        database.dispose()


def create_twice(slug: str) -> None:
    with Notice.transaction():
        Notice.create(slug=slug)
        Notice.create(slug=slug)


def test_insert_update_and_delete_publish_old_and_new_values_after_the_commit(
    published: Published,
) -> None:
    notice = Notice.create(slug="a", place="door")
    assert published.take() == [["notice:a", "notices", "place:door:a"]]
    notice.update(slug="b")
    assert published.take() == [["notice:a", "notice:b", "notices", "place:door:a", "place:door:b"]]
    notice.update(views=3)
    assert published.take() == [["notice:b", "notices", "place:door:b"]]
    notice.delete()
    assert published.take() == [["notice:b", "notices", "place:door:b"]]


def test_row_with_an_empty_column_has_no_tag_of_it(published: Published) -> None:
    Notice.create(slug="a")
    assert published.take() == [["notice:a", "notices"]]


def test_save_that_changes_nothing_publishes_nothing(published: Published) -> None:
    notice = Notice.create(slug="a")
    published.take()
    notice.save()
    Notice.all()
    Plain.create(name="x")
    assert published.take() == []


def test_a_transaction_publishes_once_and_after_its_end(published: Published) -> None:
    with Notice.transaction():
        for slug in "ab":
            Notice.create(slug=slug)
        assert published.take() == []
    assert published.take() == [["notice:a", "notice:b", "notices"]]


def test_what_is_rolled_back_is_not_published(published: Published) -> None:
    with pytest.raises(IntegrityError):
        create_twice("a")
    Notice.create(slug="z")
    with pytest.raises(IntegrityError):
        Notice.create(slug="z")
    assert published.take() == [["notice:z", "notices"]]
    Plain.create(name="x")
    assert published.take() == []


def test_a_savepoint_that_fails_takes_its_own_tags_along(published: Published) -> None:
    with Notice.transaction():
        Plain.create(name="x")
        with pytest.raises(IntegrityError):
            create_twice("a")
    assert published.take() == []
    with Notice.transaction():
        Notice.create(slug="b")
        with pytest.raises(IntegrityError):
            create_twice("d")
        with Notice.transaction():
            Notice.create(slug="c")
    assert published.take() == [["notice:b", "notice:c", "notices"]]


def test_bulk_writes_publish_the_rows_that_fit(published: Published) -> None:
    for slug in "abc":
        Notice.create(slug=slug, place="door")
    published.take()
    Notice.where("slug", "a").update(place="wall")
    assert published.take() == [["notice:a", "notices", "place:door:a", "place:wall:a"]]
    Notice.where("slug", "a").update(place=Notice.slug + "!", views=Notice.views)
    assert published.take() == [["notice:a", "notices", "place:wall:a"]]
    Notice.query().where_in("slug", ["b", "c"]).delete()
    assert published.take() == [["notice:b", "notice:c", "notices", "place:door:b", "place:door:c"]]
    Plain.query().update(name="y")
    assert published.take() == []
    Notice.query().delete()
    assert published.take() == [["notice:a", "notices", "place:a!:a"]]


def test_bulk_writes_of_very_many_rows_publish_the_tags_without_columns(
    published: Published, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("asok.models.revalidates.MAX_ROWS", 2)
    for slug in "abc":
        Notice.create(slug=slug)
    published.take()
    Notice.query().update(views=1)
    assert published.take() == [["notices"]]
    assert "more than 2 rows of Notice" in caplog.text


def test_statements_and_raw_sql_publish_the_tags_without_columns(published: Published) -> None:
    with Notice.transaction() as work:
        work.execute(insert(Notice).values(slug="a"))
        work.execute(update(Notice.__table__).values(views=1))  # type: ignore[arg-type]
    assert published.take() == [["notices"]]
    database = work.database
    with database.connect() as connection:
        connection.execute(update(Notice).values(views=2))
    assert published.take() == [["notices"]]
    with database.connect() as connection:
        connection.execute(text("UPDATE notices SET views = 3"))
    assert published.take() == []
    database.changed("notices", tags=["notice:a"])
    assert published.take() == [["notice:a", "notices"]]


def test_a_value_that_was_never_loaded_is_not_guessed(published: Published) -> None:
    Notice.create(slug="a")
    published.take()
    with Notice.transaction() as work:
        notice = Notice.first_or_create(slug="a")
        work.expire(notice)
        notice.slug = "b"
        notice.save()
    assert published.take() == [["notice:b", "notices"]]


def test_cached_queries_change_before_the_pages_that_read_them(url: str) -> None:
    seen: list[Any] = []
    database = Database(url)
    database.create_tables(NOTICES)

    class Queries:
        at_once = False

        def changed(self, tables: Any) -> None:
            seen.append("queries")

    configure(database, revalidate=lambda tags: seen.append("pages"))
    database.queries = Queries()  # type: ignore[assignment]
    try:
        Notice.create(slug="a")
    finally:
        configure(None)
        database.dispose()
    assert seen == ["queries", "pages"]


def test_a_write_succeeds_where_its_pages_can_not_be_invalidated(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(tags: Collection[str]) -> None:
        raise OSError("the disk is full")

    database = Database(url)
    database.create_tables(NOTICES)
    configure(database, revalidate=broken)
    try:
        with caplog.at_level(logging.ERROR, "asok.models"):
            assert Notice.create(slug="a").id
            assert Notice.query().count() == 1
    finally:
        configure(None)
        database.dispose()
    assert "the pages of notices, notice:a could not be invalidated" in caplog.text


def test_without_anybody_to_tell_nothing_is_told(url: str) -> None:
    database = Database(url)
    database.create_tables(NOTICES)
    configure(database)
    try:
        assert Notice.create(slug="a").id
    finally:
        configure(None)
        database.dispose()


@pytest.mark.parametrize(
    ("value", "message", "fix"),
    [
        ("posts", "is 'posts', expected a tuple of tags", 'revalidates = ("posts",)'),
        (3, "is 3, expected a tuple", 'revalidates = ("posts",)'),
        ((3,), "holds 3, which is no tag", "printable text of 1 to 128"),
        ((" ",), "holds ' ', which is no tag", "printable text"),
        (("a\n",), "which is no tag", "printable text"),
        (("x" * 129,), "which is no tag", "printable text"),
        (("post:{",), "holds 'post:{'", "stand in braces"),
        (("post:}",), "holds 'post:}'", "stand in braces"),
        (("post:{slgu}",), "has no column 'slgu'", "Did you mean 'slug'?"),
        (("post:{}",), "only the name of a column", 'Write "{id}"'),
        (("post:{0}",), "only the name of a column", 'Write "{id}"'),
        (("post:{writer.name}",), "only the name of a column", 'Write "{id}"'),
        (("post:{slug!r}",), "only the name of a column", 'Write "{id}"'),
        (("post:{slug:>9}",), "only the name of a column", 'Write "{id}"'),
    ],
)
def test_a_wrong_declaration_is_refused_when_the_class_is_made(
    value: object, message: str, fix: str
) -> None:
    name = f"Wrong{next(_numbers)}"
    with pytest.raises(ModelError, match="revalidates") as caught:
        type(
            name,
            (Model,),
            {
                "__module__": __name__,
                "__annotations__": {"slug": Mapped[str]},
                "metadata": MetaData(),
                "revalidates": value,
            },
        )
    assert message in caught.value.message
    assert fix in (caught.value.fix or "")
    assert f"{name}.revalidates" in caught.value.message


def test_braces_that_are_doubled_are_text() -> None:
    class Braced(Model):
        metadata = MetaData()  # type: ignore[misc]
        revalidates = ("a{{b}}", "c{{{id}}}")

    found = revalidated(Braced)
    assert found is not None
    assert found.fixed == ("a{b}",)
    assert list(found.tags({"id": 3})) == ["c{3}"]


def test_a_model_inherits_what_its_base_declares() -> None:
    class Base(Model):
        __abstract__ = True
        revalidates = ("things", "thing:{id}")

    class Thing(Base):
        metadata = MetaData()  # type: ignore[misc]

    found = revalidated(Thing)
    assert found is not None
    assert found.fixed == ("things",)
    assert revalidated(Base) is None


def test_models_of_a_site_that_is_loaded_anew_are_forgotten() -> None:
    class Old(Model):
        __module__ = "src.models.old"
        metadata = MetaData()  # type: ignore[misc]
        revalidates = ("old",)

    assert revalidated(Old) is not None
    site_modules.uninstall()
    site_modules.purge()
    assert revalidated(Old) is None


def test_a_site_without_such_models_pays_nothing(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.models.revalidates._known", {})
    Notice.create(slug="a").update(views=1)
    assert published.take() == []


def test_a_row_that_is_only_touched_is_not_written(published: Published) -> None:
    notice = Notice.create(slug="a")
    published.take()
    with Notice.transaction() as work:
        notice.slug = "a"
        work.adopt(notice)
        work.flush()
    assert published.take() == []
