"""Events of rows: who is called when, what raising does, what belongs to the transaction."""

# ruff: noqa: PT012  a block that is left by an error is what these tests are about

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest

from asok.errors import ModelError
from asok.models import Database
from asok.models.events import EVENTS

from .shop import Animal, Dog, Entry, Keyword, Writer

pytestmark = pytest.mark.usefixtures("database")

_KEPT = "__asok_listeners__"


@pytest.fixture(autouse=True)
def quiet() -> Generator[None]:
    """Listeners leave with the test."""
    yield
    for model in (Entry, Keyword, Animal, Dog, Writer):
        if _KEPT in vars(model):
            delattr(model, _KEPT)


@pytest.fixture
def heard() -> list[str]:
    """The events of entries, in the order of their calls."""
    calls: list[str] = []

    def note(event: str) -> Callable[[Entry], object]:
        return lambda row: calls.append(f"{event} {row.slug}")

    for event in EVENTS:
        Entry.on(event)(note(event))
    return calls


def take(calls: list[str]) -> list[str]:
    found = calls.copy()
    calls.clear()
    return found


def test_the_order_of_events(heard: list[str]) -> None:
    entry = Entry.create(slug="a")
    assert take(heard) == ["saving a", "creating a", "created a", "saved a", "committed a"]
    entry.update(views=1)
    assert take(heard) == ["saving a", "updating a", "updated a", "saved a", "committed a"]
    entry.save()
    Entry.all()
    assert take(heard) == []
    entry.delete()
    assert take(heard) == ["deleting a", "deleted a", "committed a"]
    Entry.query().update(views=2)
    Entry.query().delete()
    assert take(heard) == []


def test_rows_that_hang_on_a_saved_row_have_their_events(heard: list[str]) -> None:
    Writer(name="Ann", entries=[Entry(slug="a"), Entry(slug="b")]).save()
    assert sorted(take(heard))[:2] == ["committed a", "committed b"]


def test_a_listener_before_may_change_the_row_or_refuse_it() -> None:
    @Entry.on("saving")
    def fill(entry: Entry) -> None:  # pyright: ignore[reportUnusedFunction]
        if entry.title == "bad":
            raise ValueError("refused")
        entry.title = entry.slug.upper()
        if entry.writer is None:
            entry.writer = Writer(name="made by a listener")

    entry = Entry.create(slug="a")
    assert entry.refresh().title == "A"
    assert Writer.query().count() == 1
    entry.title = "bad"
    with pytest.raises(ValueError, match="refused"):
        entry.save()
    assert entry.title == "bad"
    assert Entry.query().pluck("title") == ["A"]


def test_what_a_listener_writes_belongs_to_the_transaction(database: Database) -> None:
    @Entry.on("created")
    def log(entry: Entry) -> None:  # pyright: ignore[reportUnusedFunction]
        assert database.in_transaction
        with Keyword.transaction():
            Keyword.create(name=f"log {entry.slug}")
        if entry.slug == "bad":
            raise ValueError

    Entry.create(slug="a")
    with pytest.raises(ValueError):
        Entry.create(slug="bad")
    with Entry.transaction():
        Entry.create(slug="b")
        with pytest.raises(ValueError), Entry.transaction():
            Entry.create(slug="bad")
    assert Keyword.query().order_by("id").pluck("name") == ["log a", "log b"]
    assert Entry.query().count() == 2


def test_committed_comes_once_after_the_outermost_transaction(heard: list[str]) -> None:
    with Entry.transaction():
        entry = Entry.create(slug="a")
        entry.update(views=1)
        with pytest.raises(ZeroDivisionError), Entry.transaction():
            Entry.create(slug="undone")
            raise ZeroDivisionError
        with Entry.transaction():
            Entry.create(slug="b")
        assert not [call for call in heard if call.startswith("committed")]
    assert [call for call in take(heard) if call.startswith("committed")] == [
        "committed a",
        "committed b",
    ]
    with pytest.raises(ZeroDivisionError), Entry.transaction():
        Entry.create(slug="c")
        raise ZeroDivisionError
    take(heard)
    Keyword.create(name="x")
    assert take(heard) == []


def test_a_listener_to_the_commit_may_use_models_and_may_not_undo_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @Entry.on("committed")
    def later(entry: Entry) -> None:  # pyright: ignore[reportUnusedFunction]
        Keyword.create(name=entry.slug)
        raise OSError("the mail server is away")

    with caplog.at_level(logging.ERROR, "asok.models"):
        Entry.create(slug="a")
        with Entry.transaction():
            Entry.create(slug="b")
    assert caplog.text.count("a listener to the commit of <Entry") == 2
    assert Keyword.query().order_by("id").pluck("name") == ["a", "b"]


def test_listeners_of_a_model_hear_its_subclasses() -> None:
    names: list[Any] = []
    Animal.on("created")(lambda row: names.append(("animal", row.name)))
    Dog.on("created")(lambda row: names.append(("dog", row.name)))
    Dog.create(name="Rex")
    Animal.create(name="Tom")
    assert names == [("animal", "Rex"), ("dog", "Rex"), ("animal", "Tom")]


def test_wrong_listeners_are_refused() -> None:
    with pytest.raises(ModelError, match=r"'saveing' is no event of Entry.*'saving'"):
        Entry.on("saveing")(print)

    async def slow(row: Any) -> None: ...

    with pytest.raises(ModelError, match="slow listens to Entry and is a coroutine"):
        Entry.on("saved")(slow)
