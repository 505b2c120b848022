"""N+1 queries are told while developing, with the line and the way out."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Generator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok.models import Database, configure, configured_database, scope
from asok.models.asking import user_line
from asok.models.repeated import RepeatedQueries

from .shop import SHOP, Entry, Keyword, Writer


@pytest.fixture
def watched(database: Database, caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """A watched database with seven entries, each with a writer and a keyword."""
    database.watch = RepeatedQueries()
    for number in range(7):
        Entry.create(
            slug=str(number), writer=Writer(name="x"), keywords=[Keyword(name=str(number))]
        )
    with caplog.at_level(logging.WARNING, "asok.models"):
        yield


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records if "N+1" in record.getMessage()]
    caplog.clear()
    return found


def here(back: int = 1) -> str:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"{Path(__file__).relative_to(Path.cwd())}:{frame.f_back.f_lineno - back}"


@pytest.mark.usefixtures("watched")
def test_a_relation_that_is_loaded_row_by_row_is_told_with_its_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with scope():
        assert [entry.writer.name for entry in Entry.all() if entry.writer] == ["x"] * 7
        line = here()
    assert told(caplog) == [
        f"N+1 queries: {line} loaded Entry.writer for 5 rows, one query for each. "
        'Load it with the rows: Entry.query().with_("writer").'
    ]
    for _ in range(2):
        with scope():
            for entry in Entry.all():
                assert entry.keywords
    (message,) = told(caplog)  # once, not for every request
    assert 'Entry.query().with_("keywords")' in message


@pytest.mark.usefixtures("watched")
def test_a_query_in_a_loop_is_told_and_in_coroutines_too(caplog: pytest.LogCaptureFixture) -> None:
    with scope():
        for number in range(7):
            Entry.where("slug", str(number)).first()
    assert 'where_in("id", ids)' in told(caplog)[0]

    async def main() -> None:
        with scope():
            for number in range(7):
                await Entry.afind(number)

    asyncio.run(main())
    (message,) = told(caplog)
    assert message.startswith(f"N+1 queries: {Path(__file__).relative_to(Path.cwd())}:")


@pytest.mark.usefixtures("watched")
def test_what_is_no_repetition_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with scope():
        for entry in Entry.query().with_("writer", "keywords").get():
            assert entry.writer
            assert entry.keywords
            entry.update(views=1)
    for number in range(7):
        with scope():
            Entry.find(number)
    assert told(caplog) == []


def test_while_developing_a_template_is_named_with_its_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = {
        "src/pages/page.py": """
            from tests.models.shop import Entry

            def get(request):
                return request.html("page.html", entries=Entry.all())
            """,
        "src/pages/page.html": """\
            <ul>
            {% for entry in entries %}
            <li>{{ entry.writer.name }}</li>
            {% endfor %}
            </ul>
            """,
    }
    for debug in (True, False):
        app = load_site(
            write_site(tmp_path, site), debug=debug, database_url=f"sqlite:///{tmp_path}/db"
        )
        database = configured_database()
        database.create_tables(SHOP)
        if debug:
            for number in range(7):
                Entry.create(slug=str(number), writer=Writer(name="x"))
        with caplog.at_level(logging.WARNING, "asok.models"):
            client = TestClient(app, base_url="http://localhost")
            assert client.get("/").text.count("<li>x</li>") == 7
        found = told(caplog)
        if debug:
            assert f"{tmp_path}/src/pages/page.html:3 loaded Entry.writer" in found[0]
        else:
            assert found == []
        database.dispose()
    configure(None)


def test_code_that_is_nobodys_own_has_no_line() -> None:
    assert user_line(None) is None
