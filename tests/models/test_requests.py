"""Requests of a real site: one connection each, given back whatever happens to them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import QueuePool
from tests.live.fake_client import FakeClient
from tests.services import wait_until
from tests.site import load_site, write_site

from asok import Asok
from asok.models import Database, configured_database

from .shop import SHOP, Entry, Writer

SITE = {
    "src/pages/sync/page.py": """
        from tests.models.shop import Entry, Writer

        def load(request):
            request.writer = Writer.query().first_or_fail()

        GUARDS = [load]

        def get(request):
            found = [entry.slug for entry in request.writer.entries]
            Entry.query().count()
            return {"found": found}

        def post(request):
            Entry.create(slug="half")
            raise ValueError("on purpose")

        CSRF = False
        """,
    "src/pages/async/page.py": """
        import asyncio
        from tests.models.shop import Entry, Writer

        async def load(request):
            request.writer = await Writer.query().afirst_or_fail()

        GUARDS = [load]

        async def get(request):
            await request.writer.aload("entries")
            await asyncio.gather(*(Entry.query().acount() for _ in range(3)))
            return {"found": [entry.slug for entry in request.writer.entries]}

        async def post(request):
            async with Entry.atransaction():
                await Entry.acreate(slug="undone")
                raise ValueError("on purpose")

        CSRF = False
        """,
    "src/pages/stream/page.py": """
        from tests.models.shop import Entry

        def get(request):
            Entry.query().count()
            def lines():
                for entry in Entry.query().order_by("id").get():
                    yield f"{Entry.find(entry.id).slug} "
            return lines()
        """,
    "src/pages/astream/page.py": """
        from tests.models.shop import Entry

        async def get(request):
            await Entry.query().acount()
            async def lines():
                for entry in await Entry.query().order_by("id").aget():
                    yield f"{(await Entry.afind(entry.id)).slug} "
            return lines()
        """,
    "src/pages/hang/page.py": """
        from tests.models import test_requests
        from tests.models.shop import Entry

        async def get(request):
            await Entry.query().acount()
            test_requests.reached.set()
            await test_requests.never()
        """,
    "src/pages/stuck/page.py": """
        from tests.models import test_requests
        from tests.models.shop import Entry

        def get(request):
            Entry.query().count()
            test_requests.reached.set()
            assert test_requests.go_on.wait(20)
            Entry.create(slug="late")
            return "late"
        """,
    "src/pages/after/page.py": """
        from starlette.background import BackgroundTask
        from starlette.responses import PlainTextResponse
        from tests.models.shop import Entry

        def write(fail):
            Entry.create(slug="after")
            Entry.query().count()
            if fail:
                raise ValueError("on purpose")

        def get(request):
            Entry.query().count()
            task = BackgroundTask(write, "fail" in request.query_params)
            return PlainTextResponse("sent", background=task)
        """,
    "src/components/Votes.py": """
        from asok import Component, exposed
        from tests.models.shop import Entry

        class Votes(Component):
            views: int = 0

            @exposed
            def vote(self):
                entry = Entry.query().first_or_fail()
                entry.update(views=entry.views + 1)
                self.views = max(each.views for each in entry.writer.entries)

            @exposed
            async def avote(self):
                entry = await Entry.query().afirst_or_fail()
                self.views = (await entry.aupdate(views=entry.views + 1)).views

            @exposed
            def fail(self):
                Entry.query().first_or_fail().title = "never saved"
                raise ValueError("on purpose")

            def render(self):
                return self.html("votes.html")
        """,
    "src/components/votes.html": "<p>{{ views }} votes</p>",
    "src/pages/page.html": "{{ component('Votes') }}",
}
reached = threading.Event()
go_on = threading.Event()


async def never() -> None:
    await asyncio.Event().wait()


@pytest.fixture
def app(url: str, tmp_path: Path) -> Generator[Asok]:
    """The site with a database of each kind in turn: a writer with two entries."""
    made = load_site(write_site(tmp_path, SITE), database_url=url, session_backend="memory")
    database = configured_database()
    database.create_tables(SHOP)
    Writer(name="Ann", entries=[Entry(slug="a"), Entry(slug="b")]).save()
    reached.clear()
    go_on.clear()
    yield made
    go_on.set()
    database.dispose()


class Pool:
    """How many connections were taken, are taken, and were taken at once at most."""

    def __init__(self, database: Database) -> None:
        self.taken = 0
        self.most = 0
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        self._pool: QueuePool = pool
        event.listen(database.engine, "checkout", self._note)

    def _note(self, *_: object) -> None:
        self.taken += 1
        self.most = max(self.most, self.now)

    @property
    def now(self) -> int:
        return self._pool.checkedout()


def client(app: Asok) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sync", 200),
        ("GET", "/async", 200),
        ("POST", "/sync", 500),
        ("POST", "/async", 500),
    ],
)
def test_a_request_takes_one_connection_for_guard_and_handler(
    app: Asok, method: str, path: str, status: int
) -> None:
    pool = Pool(configured_database())

    async def main() -> None:
        async with client(app) as http:
            answer = await http.request(method, path)
            assert answer.status_code == status, answer.text
            if status == 200:
                assert answer.json() == {"found": ["a", "b"]}

    run(main())
    assert (pool.taken, pool.now) == (1, 0)
    assert Entry.where("slug", "undone").count() == 0


def test_under_load_no_connection_stays_out(app: Asok) -> None:
    pool = Pool(configured_database())
    paths = ["/sync", "/async", "/stream", "/astream"]

    async def main() -> None:
        async with client(app) as http:
            answers = await asyncio.gather(*(http.get(paths[n % 4]) for n in range(120)))
            assert {answer.status_code for answer in answers} == {200}
            assert {answer.text for answer in answers} == {'{"found":["a","b"]}', "a b "}
            failed = await asyncio.gather(*(http.post(paths[n % 2]) for n in range(20)))
            assert {answer.status_code for answer in failed} == {500}

    run(main())
    assert pool.now == 0
    assert pool.most <= 15  # SQLAlchemy's pool: five kept, ten more


@pytest.mark.parametrize("query", ["", "?fail=1"])
def test_a_task_after_the_answer_gives_its_connections_back(app: Asok, query: str) -> None:
    pool = Pool(configured_database())

    async def main() -> None:
        async with client(app) as http:
            answer = await http.get("/after" + query)
            assert answer.text == "sent"

    run(main())
    assert (pool.most, pool.now) == (1, 0)
    assert Entry.where("slug", "after").count() == 1


@pytest.mark.parametrize("path", ["/stream", "/astream"])
def test_a_slow_reader_of_a_stream_holds_no_connection(app: Asok, path: str) -> None:
    pool = Pool(configured_database())
    held: list[int] = []

    async def main() -> None:
        parts: list[bytes] = []

        async def send(message: Any) -> None:
            held.append(pool.now)
            parts.append(message.get("body", b""))

        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "scheme": "http",
            "server": ("localhost", 80),
        }
        asked = asyncio.Event()

        async def receive() -> Any:
            if asked.is_set():
                await never()
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}

        await app(scope, receive, send)
        assert b"".join(parts) == b"a b "

    run(main())
    assert len(held) >= 3
    assert set(held) == {0}


def test_a_cancelled_request_gives_its_connection_back(app: Asok) -> None:
    pool = Pool(configured_database())

    async def main() -> None:
        async with client(app) as http:
            task = asyncio.create_task(http.get("/hang"))
            assert await asyncio.to_thread(reached.wait, 20)
            assert pool.now == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert pool.now == 0

    run(main())


def test_a_handler_that_outlives_its_cancelled_request_keeps_its_connection_until_its_end(
    app: Asok,
) -> None:
    pool = Pool(configured_database())

    async def main() -> None:
        async with client(app) as http:
            task = asyncio.create_task(http.get("/stuck"))
            assert await asyncio.to_thread(reached.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert pool.now == 1
            go_on.set()
            await asyncio.to_thread(wait_until, lambda: pool.now == 0, what="its return")

    run(main())
    assert pool.taken == 1
    assert Entry.where("slug", "late").count() == 1


def test_methods_of_live_components_give_their_connections_back(app: Asok) -> None:
    pool = Pool(configured_database())

    async def main() -> None:
        async with client(app) as http:
            page = (await http.get("/")).text
        browser = FakeClient(app.live)
        [shown] = await browser.join(page)
        before = pool.taken
        await browser.call(shown, "vote")
        assert shown.html is not None
        assert "1 votes" in shown.html
        assert pool.taken == before + 1
        await browser.call(shown, "avote")
        assert "2 votes" in shown.html
        await browser.call(shown, "fail")
        assert pool.now == 0
        await browser.conversation.close()

    run(main())
    assert pool.now == 0
    assert Entry.query().max("views") == 2


def test_a_request_that_waits_is_in_no_transaction(app: Asok) -> None:
    """PostgreSQL's own word; on SQLite nobody else could write meanwhile."""
    database = configured_database()

    async def main() -> None:
        async with client(app) as http:
            task = asyncio.create_task(http.get("/hang"))
            assert await asyncio.to_thread(reached.wait, 20)
            if database.is_sqlite:
                await asyncio.to_thread(Entry.create, slug="meanwhile")
            else:
                url = database.engine.url.set(drivername="postgresql")
                with psycopg.connect(url.render_as_string(hide_password=False)) as watching:
                    rows = watching.execute(
                        "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                        "AND datname = current_database()"
                    ).fetchall()
                assert {row[0] for row in rows} == {"idle"}, json.dumps(rows)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())
