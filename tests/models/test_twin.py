"""Async twins: the same answers, a free event loop, one connection, transactions apart."""

# ruff: noqa: PT012  a block that is left by an error is what these tests are about

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import QueuePool

from asok.errors import ModelError, RecordNotFound, UnknownColumn
from asok.models import Database, Query, scope
from asok.models.twin import in_threads

from .shop import Entry, Keyword, Stock, Writer

pytestmark = pytest.mark.usefixtures("database")


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def in_use(database: Database) -> int:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def note_threads(database: Database) -> set[int]:
    """The threads in which statements run from now on."""
    seen: set[int] = set()
    event.listen(
        database.engine, "before_cursor_execute", lambda *_: seen.add(threading.get_ident())
    )
    return seen


def test_every_call_has_its_twin_and_none_runs_on_the_event_loop(database: Database) -> None:
    seen = note_threads(database)

    async def main() -> None:
        made = await Entry.acreate(slug="a", views=1)
        assert (await Entry.aall())[0].id == made.id
        assert (await Entry.afind_or_fail(made.id)).slug == "a"
        assert await Entry.afind(99) is None
        with pytest.raises(RecordNotFound):
            await Entry.afind_or_fail(99)
        made.title = "A"
        assert await made.asave() is made
        assert (await made.aupdate(views=2)).views == 2
        await Entry.where("slug", "a").aupdate(views=5)
        assert (await made.arefresh()).views == 5
        query = Entry.query()
        assert [row.slug for row in await query.aget()] == ["a"]
        assert [row.slug for row in await query.aall()] == ["a"]
        first = await query.afirst()
        assert first is not None
        assert first.slug == (await query.afirst_or_fail()).slug == "a"
        assert await query.afind(99) is None
        assert await query.apluck("views", "slug") == {"a": 5}
        assert await query.aexists()
        assert await query.acount() == 1
        numbers = [await call("views") for call in (query.asum, query.amin, query.amax, query.aavg)]
        assert numbers == [5, 5, 5, 5.0]
        assert (await query.apaginate(1, per_page=5)).total == 1
        assert (await Entry.afirst_or_create({"title": "B"}, slug="b")).title == "B"
        assert (await Entry.aupdate_or_create({"title": "C"}, slug="b")).title == "C"
        assert (await query.afirst_or_create(slug="b")).title == "C"
        assert (await query.aupdate_or_create({"views": 9}, slug="b")).views == 9
        assert await Entry.where("slug", "b").adelete() == 1
        await made.adelete()
        assert await query.acount() == 0
        with pytest.raises(UnknownColumn):
            await query.apluck("slgu")

    run(main())
    assert threading.get_ident() not in seen
    assert seen
    assert in_use(database) == 0


def test_the_sync_calls_with_a_twin_are_all_that_wait() -> None:
    own = {name for name in vars(Query) if name[:1] != "_"}
    assert {f"a{name}" for name in own if f"a{name}" in own} == {
        name for name in own if name[1:] in own
    }
    assert len([name for name in own if name[1:] in own]) == 17
    assert Query.aget.__name__ == "aget"
    assert Query.aget.__qualname__ == "Query.aget"


def test_a_request_uses_one_connection_whatever_its_tasks_do(database: Database) -> None:
    taken: list[int] = []
    event.listen(database.engine, "checkout", lambda *_: taken.append(1))

    async def main() -> None:
        with scope():
            await asyncio.gather(*(Keyword.acreate(name=str(n)) for n in range(20)))
            counts = await asyncio.gather(*(Keyword.query().acount() for _ in range(20)))
            assert counts == [20] * 20
            assert in_use(database) == 1

    run(main())
    assert len(taken) == 1
    assert in_use(database) == 0


def test_many_requests_at_once_share_few_connections_and_always_end(database: Database) -> None:
    async def request(number: int) -> None:
        with scope():
            await Keyword.acreate(name=f"k{number}")
            # More requests than connections and threads: who holds one must get on.
            assert await Keyword.where("name", f"k{number}").acount() == 1
            async with Keyword.atransaction():
                await Keyword.where("name", f"k{number}").aupdate(name=f"n{number}")

    async def main() -> None:
        await asyncio.gather(*(request(number) for number in range(80)))

    run(main())
    assert Keyword.where("name", "like", "n%").count() == 80
    assert in_use(database) == 0


def test_a_transaction_keeps_other_tasks_of_its_request_out(database: Database) -> None:
    async def main() -> None:
        with scope():
            inside = asyncio.Event()
            order: list[str] = []

            async def other() -> None:
                await inside.wait()
                await Keyword.acreate(name="other")
                order.append("other")

            async def child(number: int) -> None:
                async with Keyword.atransaction():
                    await Keyword.acreate(name=f"child {number}")

            task = asyncio.create_task(other())
            with pytest.raises(ZeroDivisionError):
                async with Keyword.atransaction():
                    assert database.in_transaction
                    inside.set()
                    await Keyword.acreate(name="undone")
                    # Its own tasks are in it, and their savepoints take turns.
                    await asyncio.gather(*map(child, range(3)))
                    assert await Keyword.query().acount() == 4
                    order.append("transaction")
                    raise ZeroDivisionError
            await task
            assert order == ["transaction", "other"]
            assert await Keyword.query().apluck("name") == ["other"]

    run(main())


def test_a_nested_transaction_is_a_savepoint(database: Database) -> None:
    async def main() -> None:
        async with Entry.atransaction():
            await Entry.acreate(slug="a")
            with pytest.raises(IntegrityError):
                async with Entry.atransaction():
                    await Entry.acreate(slug="b")
                    await Entry.acreate(slug="a")
            await Entry.acreate(slug="c")
        assert await Entry.query().order_by("slug").apluck("slug") == ["a", "c"]

    run(main())
    assert in_use(database) == 0


def test_a_task_that_outlives_the_transaction_is_no_longer_in_it() -> None:
    async def main() -> None:
        left = asyncio.Event()

        async def later() -> int:
            await left.wait()
            count: int = await Keyword.query().acount()
            return count

        with scope():
            async with Keyword.atransaction():
                task = asyncio.create_task(later())
                await Keyword.acreate(name="x")
            left.set()
            assert await task == 1

    run(main())


def test_waiting_for_ones_own_transaction_is_an_error_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asok.models.twin.PATIENCE", 0.05)

    async def main() -> None:
        with scope():
            begun = asyncio.Event()

            async def outside() -> None:
                await begun.wait()
                await Keyword.aall()

            task = asyncio.create_task(outside())
            with pytest.raises(ModelError, match="a transaction of its own request"):
                async with Keyword.atransaction():
                    begun.set()
                    await task

    run(main())


@pytest.mark.parametrize("how", ["native", "anyio"])
def test_a_cancelled_call_waits_for_its_statement_and_gives_the_connection_back(
    database: Database, how: str
) -> None:
    running, go_on = threading.Event(), threading.Event()

    def slow(*_: Any) -> None:
        running.set()
        assert go_on.wait(20)

    async def request() -> None:
        with scope():
            async with Entry.atransaction():
                await Entry.acreate(slug="a")
                event.listen(database.engine, "before_cursor_execute", slow)
                await Entry.query().acount()

    async def native() -> None:
        task = asyncio.create_task(request())
        await asyncio.to_thread(running.wait, 20)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def by_anyio() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(request)
            await asyncio.to_thread(running.wait, 20)
            group.cancel_scope.cancel()
            go_on.set()

    run(native() if how == "native" else by_anyio())
    event.remove(database.engine, "before_cursor_execute", slow)
    assert in_use(database) == 0
    assert Entry.query().count() == 0


def test_a_block_that_is_cancelled_while_it_begins_is_left_again() -> None:
    begun, go_on = threading.Event(), threading.Event()
    left: list[Any] = []

    @contextmanager
    def block() -> Generator[None]:
        begun.set()
        assert go_on.wait(20)
        try:
            yield
        except BaseException as error:
            left.append(type(error))
            raise

    async def main() -> None:
        async def request() -> None:
            with scope() as opened:
                async with in_threads(block(), opened):
                    pytest.fail("it was cancelled before")

        task = asyncio.create_task(request())
        assert await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert left == [asyncio.CancelledError]


def test_a_block_that_can_not_begin_is_not_left() -> None:
    @contextmanager
    def block() -> Generator[None]:
        raise OSError("no")
        yield

    async def main() -> None:
        with scope() as opened, pytest.raises(OSError, match="no"):
            async with in_threads(block(), opened):
                pytest.fail("it did not begin")

    run(main())


def test_relations_are_loaded_when_they_are_asked_for() -> None:
    Entry.create(slug="a", writer=Writer(name="Ann"), keywords=[Keyword(name="x")])

    async def main() -> None:
        post = await Entry.query().afirst_or_fail()
        post.title = "not saved yet"
        assert await post.aload("writer", "keywords") is post
        assert post.writer is not None
        assert (post.writer.name, len(post.keywords)) == ("Ann", 1)
        assert post.title == "not saved yet"
        with scope():
            writer = await Writer.query().afirst_or_fail()
            assert [e.keywords[0].name for e in (await writer.aload("entries.keywords")).entries]

    run(main())
    with pytest.raises(UnknownColumn, match="'writer'"):
        Entry.query().first_or_fail().load("writr")
    with pytest.raises(ModelError, match="never saved"):
        Entry(slug="b").load("writer")
    gone = Keyword.create(name="y")
    Keyword.where("name", "y").delete()
    with pytest.raises(RecordNotFound):
        gone.load()
    stock = Stock.create(shelf=1, place=2)
    assert stock.load() is stock


def test_sql_of_ones_own_in_a_transaction(database: Database) -> None:
    async def main() -> None:
        async with database.atransaction() as work:
            await asyncio.to_thread(work.execute, text("INSERT INTO keywords (name) VALUES ('x')"))
        assert await Keyword.query().acount() == 1

    run(main())
