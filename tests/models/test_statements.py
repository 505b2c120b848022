"""While developing, each statement is told to its request, with the line that asked."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.observers import Notes, telling

from asok.models import Database, configure, scope
from asok.models.repeated import RepeatedQueries
from asok.observing import observed

from .shop import SHOP, Entry, Writer

HERE = Path(__file__).relative_to(Path.cwd())


@pytest.fixture
def watched(tmp_path: Path) -> Generator[None]:
    with telling():
        database = Database(f"sqlite:///{tmp_path}/db.sqlite3", watch=RepeatedQueries())
    database.create_tables(SHOP)
    configure(database)
    for number in range(6):
        Entry.create(slug=str(number), writer=Writer(name="x"))
    yield
    configure(None)
    database.dispose()


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


@pytest.mark.usefixtures("watched")
def test_statements_come_with_their_line() -> None:
    notes = Notes()
    with observed(notes), scope():
        Writer.query().count()
        first = f"{HERE}:{line() - 1}"
    Writer.query().count()

    async def visit() -> str:
        await Writer.query().acount()
        return f"{HERE}:{line() - 1}"

    with observed(notes):
        second = asyncio.run(visit())
    assert [one for _, one in notes.queries] == [first, second]
    assert all("count(" in text.lower() for text, _ in notes.queries)


@pytest.mark.usefixtures("watched")
def test_every_request_is_told_of_its_repeated_queries() -> None:
    for _ in range(2):
        notes = Notes()
        with observed(notes), scope():
            assert [entry.writer.name for entry in Entry.all() if entry.writer] == ["x"] * 6
            place = f"{HERE}:{line() - 1}"
        assert [where for where, _ in notes.warnings] == [place]
        assert 'Entry.query().with_("writer")' in notes.warnings[0][1]
        assert len(notes.queries) == 7


def test_in_production_nothing_is_told(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/db.sqlite3")
    notes = Notes()
    with observed(notes):
        database.ping()
    assert notes.queries == []
    database.dispose()
