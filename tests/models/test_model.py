"""Rows as objects: create, find, save, update, delete, refresh, to_dict."""

from __future__ import annotations

import datetime
import sys
import uuid
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import String, inspect
from sqlalchemy.exc import IntegrityError

from asok.errors import ConfigurationError, ModelError, RecordNotFound, UnknownColumn
from asok.models import Database, Mapped, Model, configure, field, scope
from asok.models.registry import forget_models

from .shop import Animal, Country, Dog, Entry, Keyword, Parcel, Status, Stock, Writer

pytestmark = pytest.mark.usefixtures("database")


def test_the_documented_calls_work() -> None:
    for number in range(12):
        Entry.create(title=f"Entry {number}", slug=f"post-{number}", views=number)
    assert len(Entry.all()) == 12
    first = Entry.where("slug", "post-3").first()
    assert first is not None
    assert first.title == "Entry 3"
    popular = Entry.query().order_by("-views").limit(10).cache(ttl=300).get()
    assert [post.to_dict()["views"] for post in popular] == list(range(11, 1, -1))
    assert [post.slug for post in Entry.all()][:2] == ["post-0", "post-1"]


def test_a_new_row_has_its_defaults_before_and_after_it_is_saved() -> None:
    post = Entry(slug="a")
    assert (post.title, post.views, post.status) == ("untitled", 0, Status.DRAFT)
    assert repr(post) == "<Entry new>"
    assert post.save() is post
    assert repr(post) == "<Entry 1>"
    assert post.created_at.tzinfo is datetime.UTC
    found = Entry.find(post.id)
    assert found is not None
    assert found.status is Status.DRAFT
    assert found.created_at == post.created_at


def test_every_type_comes_back_as_it_went_in() -> None:
    token = uuid.uuid4()
    values: dict[str, Any] = {
        "token": token,
        "weight": 1.25,
        "price": Decimal("12.50"),
        "day": datetime.date(2026, 11, 21),
        "hour": datetime.time(12, 30, 1, 5),
        "content": b"\x00\xff",
        "data": {"a": [1, None, {"b": True}]},
        "words": ["x", "y"],
        "fragile": True,
    }
    made = Parcel.create(**values)
    found = Parcel.find(made.id)
    assert found is not None
    assert found.to_dict(exclude=["id"]) == values


def test_moments_are_aware_and_in_utc() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    post = Entry.create(slug="a", published_at=datetime.datetime(2026, 1, 1, 1, tzinfo=zone))
    post.refresh()
    assert post.published_at == datetime.datetime(2025, 12, 31, 23, tzinfo=datetime.UTC)
    assert post.published_at is not None
    assert post.published_at.tzinfo is datetime.UTC
    post.update(published_at=datetime.datetime(2026, 1, 1))
    assert post.refresh().published_at == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def test_a_change_sets_updated_at_and_leaves_created_at() -> None:
    post = Entry.create(slug="a")
    created, updated = post.created_at, post.updated_at
    post.update(title="new")
    assert post.created_at == created
    assert post.updated_at > updated


def test_find_takes_what_an_url_gives_and_finds_nothing_for_nonsense() -> None:
    Entry.create(slug="a")
    assert Entry.find("1") is not None
    for key in (2, "2", "x", "1.0", "", "-1", "９", "9" * 30, 2**64, -(2**64), None):
        assert Entry.find(key) is None, key
    with pytest.raises(RecordNotFound, match="no Entry has the key 'x'"):
        Entry.find_or_fail("x")
    assert Entry.find_or_fail(1).slug == "a"


def test_keys_of_text_and_of_several_columns() -> None:
    Country.create(code="de", name="Germany")
    assert Country.find_or_fail("de").name == "Germany"
    assert "id" not in inspect(Country).column_attrs
    Stock.create(shelf=1, place=2, amount=3)
    assert Stock.find_or_fail((1, 2)).amount == 3
    assert Stock.query().find((1, 2)) is not None
    for find in (Stock.find, Stock.query().find):
        assert find(("x", 1)) is None
        with pytest.raises(ModelError, match=r"the key of Stock is \(shelf, place\)"):
            find(1)


def test_single_table_inheritance_keeps_the_parents_table_and_key() -> None:
    Dog.create(name="Rex", bark="loud")
    Animal.create(name="Tom")
    assert [type(animal) for animal in Animal.all()] == [Dog, Animal]
    assert Dog.query().count() == 1
    cached = Animal.query().order_by("name").cache(60)
    for _ in range(2):
        rex, tom = cached.get()
        assert (type(rex), type(tom)) == (Dog, Animal)


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownColumn, match=r"no column 'titel'\. Did you mean 'title'"):
        Entry(titel="x")
    with pytest.raises(UnknownColumn):
        Entry(save="a method is no column", slug="a")
    post = Entry.create(slug="a")
    with pytest.raises(UnknownColumn):
        post.update(title="set", veiws=1)
    assert post.title == "untitled"
    with pytest.raises(UnknownColumn):
        post.to_dict(only=["x"])
    with pytest.raises(UnknownColumn):
        post.to_dict(exclude=["x"])


def test_hidden_columns_stay_out_of_to_dict() -> None:
    writer = Writer.create(name="Ann")
    assert writer.to_dict() == {"id": 1, "name": "Ann"}
    assert writer.to_dict(only=["secret"]) == {"secret": "s3cret"}


@pytest.mark.parametrize("inside", [True, False])
def test_a_refused_row_keeps_its_values_and_can_be_saved_when_corrected(inside: bool) -> None:
    def steps() -> None:
        Entry.create(slug="taken")
        new = Entry(slug="taken", title="mine")
        with pytest.raises(IntegrityError):
            new.save()
        assert new.title == "mine"
        new.slug = "free"
        new.save()
        old = Entry.where("slug", "free").first_or_fail()
        old.title = "changed"
        old.slug = "taken"
        with pytest.raises(IntegrityError):
            old.save()
        assert (old.title, old.slug, old.views) == ("changed", "taken", 0)
        old.slug = "free"
        old.save()
        assert Entry.query().order_by("id").pluck("title") == ["untitled", "changed"]

    if inside:
        with scope():
            steps()
    else:
        steps()


def test_save_writes_the_row_and_not_other_changed_rows() -> None:
    Entry.create(slug="a")
    Entry.create(slug="b")
    with scope():
        a, b = Entry.all()
        a.title, b.title = "A", "B"
        pending = Entry(slug="c")
        b.save()
        assert Entry.query().order_by("id").pluck("title") == ["untitled", "B"]
        assert a.title == "A"
        with Entry.transaction():
            b.update(title="BB")
            with Entry.transaction():
                b.update(title="BBB")
        Entry.where("slug", "b").update(views=5)
        assert Entry.query().order_by("id").pluck("title") == ["untitled", "BBB"]
        a.save()
        assert Entry.query().order_by("id").pluck("title") == ["A", "BBB"]
        assert pending.id is None


def test_a_child_is_saved_though_its_changed_parent_is_set_aside() -> None:
    writer = Writer.create(name="Ann")
    Entry.create(slug="a", writer_id=writer.id)
    with scope():
        ann = Writer.find_or_fail(writer.id)
        (post,) = ann.entries
        ann.name = "Bea"
        post.title = "written"
        post.save()
    assert Entry.query().pluck("title") == ["written"]


def test_relations_are_saved_with_the_row_and_loaded_in_a_scope() -> None:
    post = Entry.create(
        slug="a", writer=Writer(name="Ann"), keywords=[Keyword(name="x"), Keyword(name="y")]
    )
    with scope():
        found = Entry.find_or_fail(post.id)
        assert found.writer is not None
        assert found.writer.name == "Ann"
        assert [tag.name for tag in found.keywords] == ["x", "y"]
        found.keywords.pop()
        found.save()
    assert len(Entry.query().with_("keywords").first_or_fail().keywords) == 1


def test_rows_can_be_used_after_the_call_and_saved_later() -> None:
    Entry.create(slug="a")
    post = Entry.where("slug", "a").first_or_fail()
    post.title = "later"
    with scope():
        same = Entry.find_or_fail(post.id)
        post.save()
        assert Entry.find_or_fail(post.id) is post
        assert same.title == "untitled"
    assert Entry.find_or_fail(post.id).title == "later"


def test_delete_and_what_a_deleted_row_can_do() -> None:
    post = Entry.create(slug="a")
    other = Entry.find_or_fail(post.id)
    post.delete()
    post.delete()
    assert Entry.all() == []
    with pytest.raises(ModelError, match="was deleted and can't be saved"):
        post.save()
    other.title = "late"
    with pytest.raises(RecordNotFound, match="no longer there"):
        other.save()
    with pytest.raises(RecordNotFound):
        other.refresh()
    with pytest.raises(ModelError, match="never saved"):
        Entry(slug="b").delete()
    with pytest.raises(RecordNotFound):
        Entry(slug="b").refresh()
    gone = Entry.create(slug="c")
    Entry.query().delete()
    gone.delete()


def test_refresh_drops_what_was_changed() -> None:
    post = Entry.create(slug="a")
    Entry.where("slug", "a").update(views=7)
    post.title = "x"
    assert post.refresh() is post
    assert (post.title, post.views) == ("untitled", 7)


def test_first_or_create_and_update_or_create() -> None:
    made = Keyword.first_or_create(name="x")
    assert Keyword.first_or_create(name="x").id == made.id
    post = Entry.first_or_create({"title": "T"}, slug="a")
    assert post.title == "T"
    assert Entry.first_or_create({"title": "other"}, slug="a").title == "T"
    assert Entry.update_or_create({"title": "U"}, slug="a").id == post.id
    assert Entry.find_or_fail(post.id).title == "U"
    assert Entry.update_or_create({"title": "new"}, slug="b").title == "new"
    with Keyword.transaction():
        assert Keyword.first_or_create(name="x").id == made.id
        Keyword.first_or_create(name="y")
    with pytest.raises(IntegrityError):
        Entry.first_or_create({"slug": "a"}, title="none has this")
    with Keyword.transaction():
        with pytest.raises(IntegrityError):
            Entry.first_or_create({"slug": "a"}, title="none has this")
        Keyword.first_or_create(name="z")
    assert Keyword.query().count() == 3


def test_first_or_create_returns_the_row_that_another_worker_made_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    winner = Keyword.create(name="x")
    query = Keyword.query()
    answers = [None]
    first = type(query).first
    monkeypatch.setattr(
        type(query), "first", lambda self: answers.pop() if answers else first(self)
    )
    assert Keyword.first_or_create(name="x").id == winner.id


def test_a_model_without_columns_for_its_annotations_is_refused() -> None:
    with pytest.raises(ModelError, match=r"Write title: Mapped\[str\]"):

        class Wrong(Model):  # pyright: ignore[reportUnusedClass]
            title: str

    def make(namespace: dict[str, Any]) -> None:
        type("Wrong", (Model,), namespace)

    with pytest.raises(ModelError, match=r"Write views: Mapped\[int\]"):
        make({"__annotations__": {"views": int}, "__module__": __name__})


def test_annotations_that_only_a_type_checker_knows_are_left_to_sqlalchemy() -> None:
    class Draft(Model):
        __abstract__ = True
        title: Mapped[Unknown]  # pyright: ignore  # noqa: F821

    assert not hasattr(Draft, "__table__")


def test_a_tables_name_comes_from_the_class_unless_it_is_given() -> None:
    assert Entry.__tablename__ == "entries"
    assert Country.__tablename__ == "countries"

    class LegacyThing(Model):
        __tablename__ = "old_things"
        number: Mapped[int] = field(String(5), primary_key=True, column="no")

    table = LegacyThing.__table__
    assert Model.metadata.tables["old_things"] is table
    assert list(table.columns.keys()) == ["no"]
    forget_models(Model, lambda module: module == __name__)
    assert "old_things" not in Model.metadata.tables


def test_a_file_that_is_loaded_twice_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "thing.py"
    file.write_text("")

    def load(name: str) -> None:
        module = ModuleType(name)
        module.__file__ = str(file)
        vars(module)["Model"] = Model
        sys.modules[name] = module
        try:
            exec("class Thing(Model): pass", vars(module))
        finally:
            del sys.modules[name]

    load("first_name")
    try:
        with pytest.raises(ModelError, match="loaded twice, as first_name and as second_name"):
            load("second_name")
    finally:
        forget_models(Model, lambda module: module == "first_name")
    assert "things" not in Model.metadata.tables
    load("second_name")
    forget_models(Model, lambda module: module == "second_name")


def test_without_a_database_the_error_says_what_to_do() -> None:
    configure(None)
    with pytest.raises(ConfigurationError, match="no database is configured"):
        Entry.all()


def test_the_database_may_be_made_by_the_first_query(database: Database) -> None:
    made: list[Database] = []

    def make() -> Database:
        made.append(database)
        return database

    configure(make)
    assert made == []
    Entry.all()
    Entry.all()
    assert made == [database]
