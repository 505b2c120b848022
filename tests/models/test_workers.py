"""Several workers with one database: what one writes, the others' cached queries know."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.services import wait_until

from asok.cache import Cache
from asok.models import Database, configure, scope
from asok.notices import MISSED, FileNotices, LocalNotices

from .region import Region
from .shop import Entry, Keyword, Stock, Writer

#: Rows that several processes make at once.
ROWS = 25


def popular() -> list[str]:
    """The documented query; with the relations of its rows."""
    query = Entry.query().with_("writer").order_by("-views").limit(10).cache(ttl=300)
    return [f"{row.slug} by {row.writer.name if row.writer else 'nobody'}" for row in query.get()]


def undo(slug: str) -> None:
    """Write, and take it back."""
    with suppress(ZeroDivisionError), Entry.transaction():
        Entry.create(slug=slug, views=99)
        raise ZeroDivisionError


ORDERS: dict[str, Callable[..., Any]] = {
    "ask": popular,
    "save": lambda slug, views: Entry.create(slug=slug, views=views).id,
    "update": lambda **values: Entry.query().update(values),
    "rename": lambda name: Writer.query().update(name=name),
    "delete": lambda slug: Entry.where("slug", slug).delete(),
    "undo": undo,
}


def obey(pipe: Connection, url: str, cache: dict[str, Any], notices: Path) -> None:
    """A worker: does what it is told until it is told nothing more."""
    told = FileNotices(notices, interval=0.02)
    database = Database(url)
    configure(database, cache=Cache(**cache), notices=told)
    told.start()
    pipe.send("ready")
    while (order := pipe.recv()) is not None:
        name, arguments, values = order
        with scope():
            pipe.send(ORDERS[name](*arguments, **values))
    told.stop()
    database.dispose()


class Worker:
    """The other end of `obey`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, name: str, *arguments: Any, **values: Any) -> Any:
        self._pipe.send((name, arguments, values))
        return self.answer()

    def answer(self) -> Any:
        assert self._pipe.poll(30), "the worker does not answer"
        return self._pipe.recv()


@contextmanager
def workers(number: int, *arguments: Any) -> Generator[list[Worker]]:
    """Fork workers; they end with the block."""
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe() for _ in range(number)]
    processes = [
        context.Process(target=obey, args=(theirs, *arguments), daemon=True) for _, theirs in pipes
    ]
    for process in processes:
        process.start()
    made = [Worker(ours) for ours, _ in pipes]
    try:
        assert [worker.answer() for worker in made] == ["ready"] * number
        yield made
    finally:
        for ours, _ in pipes:
            ours.send(None)
        for process in processes:
            process.join(30)


@pytest.mark.parametrize("backend", ["memory", "file", "redis"])
def test_a_write_in_one_worker_ends_the_cached_queries_of_all(
    database: Database, tmp_path: Path, backend: str, request: pytest.FixtureRequest
) -> None:
    cache: dict[str, Any] = {"backend": backend, "prefix": tmp_path.name}
    if backend == "file":
        cache["path"] = tmp_path / "cache"
    if backend == "redis":
        cache["url"] = request.getfixturevalue("redis_url")
    Entry.create(slug="a", writer=Writer(name="Ann"))
    url = database.engine.url.render_as_string(hide_password=False)
    configure(None)
    database.dispose()
    with workers(2, url, cache, tmp_path / "notices") as (one, two):

        def both_know(*expected: str) -> None:
            # A store that all share knows at once, each one's memory when it has heard of it.
            assert one("ask") == list(expected)
            if backend == "memory":
                wait_until(lambda: two("ask") == list(expected), what=str(expected))
            assert two("ask") == list(expected)

        both_know("a by Ann")
        one("save", "b", 5)
        both_know("b by nobody", "a by Ann")
        one("undo", "never")
        both_know("b by nobody", "a by Ann")
        one("rename", "Bea")
        both_know("b by nobody", "a by Bea")
        one("delete", "b")
        both_know("a by Bea")
        with database.connect() as connection:  # nobody is told: both answer as before
            connection.execute(text("UPDATE entries SET slug = 'raw'"))
        both_know("a by Bea")
        one("update", title="told")
        both_know("raw by Bea")


def race(url: str, barrier: Any, results: multiprocessing.Queue[Any]) -> None:
    """Make the same rows as the other processes, at the same time."""
    try:
        database = Database(url)
        configure(database)
        barrier.wait(30)
        ids: list[int] = []
        for number in range(ROWS):
            ids.append(Keyword.first_or_create(name=f"k{number}").id)
            Entry.update_or_create({"title": "last"}, slug=f"s{number}")
        with Entry.transaction():  # a row that is refused leaves the block as it was
            Stock.first_or_create({"amount": 1}, shelf=1, place=1)
            Entry.query().update(views=Entry.views + 1)
        results.put(ids)
        database.dispose()
    except Exception as error:  # noqa: BLE001  shown by the test
        results.put(repr(error))


def test_processes_that_make_the_same_rows_get_the_same_rows(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    database.dispose()
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[Any] = context.Queue()
    barrier = context.Barrier(3)
    racers = [context.Process(target=race, args=(url, barrier, results)) for _ in range(3)]
    for racer in racers:
        racer.start()
    answers = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    assert answers[0] == answers[1] == answers[2], answers
    assert len(set(answers[0])) == ROWS
    assert Keyword.query().count() == Entry.where("title", "last").count() == ROWS
    assert Stock.query().count() == 1
    assert Entry.query().pluck("views") == [3] * ROWS


def test_who_may_have_missed_a_write_forgets_what_its_memory_knows(
    database: Database, region: Region
) -> None:
    notices = LocalNotices()
    configure(database, cache=Cache("memory"), notices=notices)
    Entry.create(slug="a")
    assert popular() == ["a by nobody"]
    with database.connect() as connection:
        connection.execute(text("UPDATE entries SET slug = 'elsewhere'"))
    assert popular() == ["a by nobody"]
    notices.deliver(MISSED, {})
    assert popular() == ["elsewhere by nobody"]
    # A store that is shared was told by who wrote.
    configure(database, cache=region, notices=notices)
    popular()
    notices.deliver(MISSED, {})
    popular()
    assert region.computed == 1
    configure(None)
    configure(lambda: database, notices=notices)
    notices.deliver(MISSED, {})
