"""Cached queries with the application's cache: who waits, who asks, and who is told."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from tests.services import wait_until

from asok.cache import Cache
from asok.models import Database, configure, scope
from asok.models.work import Work
from asok.notices import MISSED, LocalNotices

from .region import Region
from .shop import Entry, Status

pytestmark = pytest.mark.usefixtures("database")


def popular() -> list[str]:
    return [post.slug for post in Entry.query().order_by("-views").limit(10).cache(ttl=300).get()]


@pytest.fixture
def real(database: Database) -> Cache:
    """The cache of an application, in memory."""
    cache = Cache("memory")
    configure(database, cache=cache)
    return cache


def note_statements(database: Database) -> list[int]:
    """The threads of the statements that run from now on, one for each."""
    seen: list[int] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *_: seen.append(threading.get_ident())
    )
    return seen


def test_many_who_miss_at_once_ask_the_database_once(database: Database, real: Cache) -> None:
    Entry.create(slug="a")
    go_on = threading.Event()
    seen = note_statements(database)
    event.listen(database.engine, "before_cursor_execute", lambda *_: go_on.wait(20))

    async def ask() -> list[str]:
        return [row.slug for row in await Entry.query().cache(60).aget()]

    async def main() -> None:
        tasks = [asyncio.create_task(ask()) for _ in range(20)]
        await asyncio.to_thread(wait_until, lambda: bool(seen), what="the first statement")
        go_on.set()
        assert await asyncio.gather(*tasks) == [["a"]] * 20

    asyncio.run(main())
    assert len(seen) == 1
    assert real.counters.computations == 1


def test_a_hit_in_memory_needs_no_thread_and_a_miss_has_one(
    database: Database, real: Cache
) -> None:
    Entry.create(slug="a", status=Status.PUBLIC)
    seen = note_statements(database)
    query = Entry.query().cache(60)

    async def main() -> None:
        first = [row.to_dict() for row in await query.aget()]
        counted = await query.apluck("status")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("asok.models.query.hop", None)
            assert [row.to_dict() for row in await query.aget()] == first
            assert await query.apluck("status") == counted == [Status.PUBLIC]
            with scope():
                (row,) = await query.aget()
                assert (await query.aget()) == [row]
        with scope() as opened:
            work = opened.part(database, lambda: Work(database))
            taken, free = threading.Event(), threading.Event()

            def hold() -> None:
                with work.lock:
                    taken.set()
                    assert free.wait(20)

            # Another thread of the request is using the session: wait for it in a thread.
            thread = threading.Thread(target=hold)
            thread.start()
            assert await asyncio.to_thread(taken.wait, 20)
            task = asyncio.create_task(query.aget())
            await asyncio.sleep(0)
            assert not task.done()
            free.set()
            assert len(await task) == 1
            thread.join()

    asyncio.run(main())
    assert len(seen) == 2
    assert threading.get_ident() not in seen
    assert real.counters.computations == 2


def test_a_stale_answer_is_given_once_more_and_never_after_a_write(
    database: Database, real: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    Entry.create(slug="a")
    query = Entry.query().cache(0.05, stale=600)
    keys: list[str] = []
    remember = real.remember
    monkeypatch.setattr(
        real,
        "remember",
        lambda key, *rest, **more: keys.append(key) or remember(key, *rest, **more),
    )
    with scope():  # which the thread that asks anew is not in
        assert query.pluck("slug") == ["a"]
        wait_until(lambda: not real.has(keys[0]), what="the end of its time")
        with database.connect() as connection:
            connection.execute(text("UPDATE entries SET slug = 'raw'"))
        assert query.pluck("slug") == ["a"]
        wait_until(lambda: query.pluck("slug") == ["raw"], what="the new answer")
        Entry.query().update(slug="b")
        assert query.pluck("slug") == ["b"]


def test_a_cache_that_could_not_be_told_is_not_asked(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    Entry.create(slug="a")
    assert popular() == ["a"]
    real = Region.set
    monkeypatch.setattr(Region, "set", lambda *_: False)
    Entry.create(slug="b", views=1)
    assert popular() == ["b", "a"]
    monkeypatch.setattr(Region, "set", real)
    assert popular() == ["b", "a"]
    computed = region.computed
    assert popular() == ["b", "a"]
    assert region.computed == computed


def test_a_cache_that_could_not_be_told_is_told_when_it_is_back(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.models.query_cache.AGAIN", 0.01)
    Entry.create(slug="a")
    popular()
    tokens = {key: text for key, text in region.stored.items() if key.startswith("table:")}
    tried = threading.Semaphore(0)
    with monkeypatch.context() as patch:
        patch.setattr(Region, "set", lambda *_: bool(tried.release()))
        Entry.create(slug="b")
        for _ in range(3):
            assert tried.acquire(timeout=20)
    # Nobody asks this process anything: it is for the others.
    wait_until(
        lambda: not any(region.stored[key] == text for key, text in tokens.items()),
        what="telling the cache",
    )


def test_processes_hear_of_what_a_shared_cache_could_not_be_told(
    database: Database, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = LocalNotices()
    configure(database, cache=region, notices=notices)
    heard: list[Any] = []
    notices.subscribe("models.written", heard.append)
    Entry.create(slug="a")
    assert popular() == ["a"]
    assert heard == [], "the cache was told"
    with monkeypatch.context() as patch:
        patch.setattr(Region, "set", lambda *_: False)
        Entry.create(slug="b", views=1)
        assert heard == [{"tables": ["entries"]}]
    assert popular() == ["b", "a"]
    with database.connect() as connection:
        connection.execute(text("UPDATE entries SET slug = 'elsewhere' WHERE slug = 'a'"))
    assert popular() == ["b", "a"]
    notices.deliver("models.written", {"tables": ["entries"]})  # of a process that could not
    assert popular() == ["b", "elsewhere"]
    notices.deliver(MISSED, {})
    computed = region.computed
    assert popular() == ["b", "elsewhere"]
    assert region.computed == computed


def test_a_shared_store_is_asked_twice_however_many_tables_there_are(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache("file", path=tmp_path / "cache")
    configure(database, cache=cache)
    Entry.create(slug="a")
    query = Entry.query().with_("writer", "keywords").cache(60)
    query.get()
    asked: list[str] = []
    for name in ("get", "get_many", "remember"):
        real = getattr(cache, name)
        monkeypatch.setattr(
            cache,
            name,
            lambda *given, name=name, real=real, **more: asked.append(name) or real(*given, **more),
        )
    assert [row.slug for row in query.get()] == ["a"]
    assert asked == ["get_many", "remember"]


def full_disk(*_: object) -> None:
    raise OSError("no space left on device")


def test_other_processes_hear_of_a_write(
    database: Database,
    real: Cache,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    notices = LocalNotices()
    configure(database, cache=real, notices=notices)
    heard: list[Any] = []
    notices.subscribe("models.written", heard.append)
    Entry.create(slug="a")
    assert heard == [{"tables": ["entries"]}]
    assert popular() == ["a"]
    with database.connect() as connection:
        connection.execute(text("UPDATE entries SET slug = 'elsewhere'"))
    assert popular() == ["a"]
    notices.deliver("models.written", {"tables": ["entries"]})
    assert popular() == ["elsewhere"]
    monkeypatch.setattr(notices, "publish", full_disk)
    with caplog.at_level(logging.ERROR, "asok.models"):
        Entry.create(slug="b", views=1)
    assert "could not be told that entries changed" in caplog.text
    assert popular() == ["b", "elsewhere"]
    configure(None)
    notices.deliver("models.written", {"tables": ["entries"]})
    configure(lambda: database, notices=notices)
    notices.deliver("models.written", {"tables": ["entries"]})
