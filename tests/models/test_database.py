"""Databases: URLs, scopes, transactions, connections that are always given back."""

# ruff: noqa: PT012  a block that is left by an error is what these tests are about

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import QueuePool

from asok.errors import ConfigurationError, ModelError
from asok.models import Database, configure, scope
from asok.models.request_scope import Scope, current_scope

from .shop import SHOP, Entry, Keyword, Writer


def in_use(database: Database) -> int:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def count_checkouts(database: Database) -> list[int]:
    taken: list[int] = []
    event.listen(database.engine, "checkout", lambda *_: taken.append(1))
    return taken


def test_a_scope_uses_one_connection_and_gives_it_back(database: Database) -> None:
    taken = count_checkouts(database)
    with scope():
        assert in_use(database) == 0
        Entry.create(slug="a")
        for _ in range(5):
            Entry.all()
            Entry.query().count()
        assert in_use(database) == 1
        with scope(), database.scope():
            Entry.all()
        assert in_use(database) == 1
    assert len(taken) == 1
    assert in_use(database) == 0


def test_a_scope_without_queries_connects_to_nothing(database: Database) -> None:
    taken = count_checkouts(database)
    with scope():
        pass
    assert taken == []


def test_connections_come_back_after_every_kind_of_error(database: Database) -> None:
    Entry.create(slug="a")
    for inside in (True, False):
        with pytest.raises(ZeroDivisionError), scope():
            Entry.all()
            raise ZeroDivisionError
        with pytest.raises(IntegrityError), scope() if inside else nullcontext():
            Entry.create(slug="a")
        with pytest.raises(ModelError), Entry.transaction():
            Entry.create(slug="b")
            Entry.where("views", ">", None)
        assert in_use(database) == 0
    assert Entry.query().count() == 1


def test_after_a_failed_statement_the_scope_goes_on(database: Database) -> None:
    with scope():
        Entry.create(slug="a")
        with pytest.raises(IntegrityError):
            Entry.create(slug="a")
        assert Entry.query().count() == 1
        with pytest.raises(ModelError, match="no table nowhere"), database.work() as work:
            work.execute(text("SELECT * FROM nowhere"))
        assert Entry.query().count() == 1


def test_threads_of_a_request_share_its_connection(database: Database) -> None:
    taken = count_checkouts(database)
    with scope(), ThreadPoolExecutor(4) as pool:
        contexts = [contextvars.copy_context() for _ in range(20)]
        made = [
            pool.submit(context.run, Keyword.create, name=str(number))
            for number, context in enumerate(contexts)
        ]
        assert sorted(tag.result().name for tag in made) == sorted(map(str, range(20)))
    assert len(taken) == 1
    assert Keyword.query().count() == 20


def test_threads_without_a_scope_have_their_own(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: Keyword.create(name=str(number)), range(40)))
    assert Keyword.query().count() == 40
    assert in_use(database) == 0


def test_a_task_that_outlives_its_request_has_no_scope(database: Database) -> None:
    async def main() -> None:
        left = asyncio.Event()

        async def later() -> int:
            assert current_scope() is not None
            await left.wait()
            assert current_scope() is None
            return len(Entry.all())

        with scope():
            task = asyncio.create_task(later())
            await asyncio.sleep(0)
        left.set()
        assert await task == 0

    asyncio.run(main())
    assert in_use(database) == 0


def test_a_part_that_can_not_be_closed_does_not_keep_the_others_open() -> None:
    closed: list[str] = []

    class Part:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)
            if self.name == "b":
                raise OSError

    opened = Scope()
    for name in "abc":
        opened.part(name, lambda name=name: Part(name))
    with pytest.raises(OSError):
        opened.close()
    assert sorted(closed) == ["a", "b", "c"]
    opened.close()


def test_a_transaction_commits_all_or_nothing(database: Database) -> None:
    with Entry.transaction():
        assert database.in_transaction
        Entry.create(slug="a")
        writer = Writer.create(name="Ann")
    assert not database.in_transaction
    assert Entry.query().count() == 1
    with pytest.raises(ZeroDivisionError), database.transaction():
        Entry.create(slug="b")
        writer.update(name="Bea")
        raise ZeroDivisionError
    assert Entry.query().pluck("slug") == ["a"]
    assert writer.refresh().name == "Ann"


def test_nested_transactions_are_savepoints(database: Database) -> None:
    with scope():
        Entry.all()
        with Entry.transaction():
            Entry.create(slug="a")
            with pytest.raises(IntegrityError), Entry.transaction():
                Entry.create(slug="b")
                Entry.create(slug="a")
            with Entry.transaction():
                Entry.create(slug="c")
        assert Entry.query().order_by("slug").pluck("slug") == ["a", "c"]


def test_what_a_transaction_read_is_still_true_when_it_writes(database: Database) -> None:
    Entry.create(slug="a")
    lock = "FOR UPDATE" if not database.is_sqlite else ""

    def add() -> None:
        for _ in range(10):
            with Entry.transaction() as session:
                session.execute(text(f"SELECT 1 FROM entries {lock}"))
                post = Entry.where("slug", "a").first_or_fail()
                post.update(views=post.views + 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Entry.query().max("views") == 40


def test_a_scope_that_read_before_can_write_after_others_wrote(database: Database) -> None:
    Entry.create(slug="a")
    with scope():
        post = Entry.find_or_fail(1)
        thread = threading.Thread(target=lambda: Entry.create(slug="b"))
        thread.start()
        thread.join()
        post.update(title="x")
        Entry.create(slug="c")
    assert Entry.query().count() == 3


def test_core_on_a_connection_of_its_own(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(insert(Keyword).values(name="x"))
    assert Keyword.query().pluck("name") == ["x"]
    database.ping()
    assert in_use(database) == 0


def test_a_missing_table_or_column_says_which_command_helps(url: str) -> None:
    database = Database(url)
    configure(database)
    try:
        with pytest.raises(ModelError, match=r"no table keywords .*asok migrate"):
            Keyword.all()
        with database.connect() as connection:
            connection.execute(text("CREATE TABLE keywords (id integer primary key)"))
        with pytest.raises(ModelError, match=r"no column name .*asok make migration"):
            Keyword.where("name", "x").get()
        with pytest.raises(ModelError, match="no column name"):
            Keyword.create(name="x")
    finally:
        configure(None)
        database.dispose()


def test_sqlite_has_wal_foreign_keys_and_patience(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/db.sqlite3")
    with database.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragma == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "synchronous": 1,
    }
    database.dispose()


def test_a_database_in_memory_is_one_for_all_threads() -> None:
    database = Database("sqlite://")
    database.create_tables(SHOP)
    configure(database)
    try:
        Keyword.create(name="x")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(Keyword.query().count).result() == 1
    finally:
        configure(None)
        database.dispose()


def test_postgresql_means_psycopg(postgres_url: str) -> None:
    for url in (postgres_url, postgres_url.replace("postgresql:", "postgres:")):
        database = Database(url)
        assert database.engine.dialect.driver == "psycopg"
        database.ping()
        database.dispose()


def test_the_password_is_shown_nowhere() -> None:
    database = Database("postgresql://me:hunter2@localhost/x")
    assert "hunter2" not in repr(database)
    assert "hunter2" not in database.name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("db.sqlite3", "is no database URL"),
        ("", "is no database URL"),
        ("nosuch://host/x", "begins with 'nosuch'"),
        ("mysql+pymysql://host/x", "needs the driver pymysql"),
    ],
)
def test_urls_that_can_not_be_used(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Database(url)


def test_without_psycopg_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r'pip install "asok\[postgres\]"'):
        Database("postgresql://localhost/x")


def test_a_server_that_is_away_is_an_error_and_not_a_hang() -> None:
    database = Database("postgresql://asok@127.0.0.1:1/x")
    with pytest.raises(OperationalError):
        database.ping()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_worker_gets_connections_of_its_own(database: Database) -> None:
    Keyword.create(name="parent")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Keyword.create(name="child")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert Keyword.query().order_by("name").pluck("name") == ["child", "parent"]


def test_neither_asok_nor_a_scope_imports_sqlalchemy() -> None:
    program = (
        "import sys, asok, asok.models\n"
        "from asok import site_modules\n"
        "from asok.models import configure, scope\n"
        "configure(lambda: None)\n"
        "with scope(): pass\n"
        "site_modules.install('.')\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        "import asok.models as models\n"
        "for name in models.__all__: getattr(models, name)\n"
        "assert sorted(models.__all__) == models.__all__\n"
        "assert not hasattr(models, 'nothing')\n"
        "assert 'alembic' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
