"""A database: its engine, the sessions of requests, transactions, and the cache of its queries."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError

from asok.models.autocommit import Autocommit, autocommit_of
from asok.models.configuration import publish, tell
from asok.models.engine import WRITTEN, make_engine
from asok.models.model import Model
from asok.models.query_cache import CacheRegion, QueryCache
from asok.models.repeated import NoWatch, Watch
from asok.models.request_scope import Scope, current_scope, scope
from asok.models.revalidates import table_tags
from asok.models.twin import in_threads, taking_turns
from asok.models.work import Work

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData

__all__ = ["Database"]


class Database:
    """The door to one database.

    `url` is SQLAlchemy's, with `postgresql://` meaning psycopg 3; `echo` logs every
    statement; `watch` looks for N+1 queries (`RepeatedQueries`). Nothing is connected until
    the first query.
    """

    def __init__(self, url: str, *, echo: bool = False, watch: Watch | None = None) -> None:
        self.engine: Engine = make_engine(url, echo=echo)
        self.is_sqlite: bool = self.engine.dialect.name == "sqlite"
        #: The URL without its password.
        self.name: str = self.engine.url.render_as_string(hide_password=True)
        #: Names this database in cache keys: other than `name` it is never that of another one.
        self.identity: str = _identity(self.engine.url)
        self.autocommit: Autocommit = autocommit_of(self.engine.dialect)
        self.watch: Watch = NoWatch() if watch is None else watch
        self.watch.connect(self.engine)
        self.queries: QueryCache | None = None

    def __repr__(self) -> str:
        return f"<Database {self.name}>"

    def use_cache(self, cache: CacheRegion | None) -> None:
        """Let `.cache(ttl)` store in `cache`; None runs such queries every time."""
        self.queries = None if cache is None else QueryCache(self, cache)

    def scope(self) -> AbstractContextManager[Scope]:
        """One session and one connection for everything inside (one request)."""
        return scope()

    def part(self, opened: Scope) -> Work:
        """Return the unit of work of a scope."""
        return opened.part(self, lambda: Work(self))

    @contextmanager
    def work(self) -> Generator[Work]:
        """Yield the scope's unit of work, or a short-lived one outside any scope."""
        # A scope in any case: what a listener does meanwhile belongs to this unit of work.
        with scope() as opened:
            work = self.part(opened)
            with work.lock:
                try:
                    yield work
                    work.settle()
                except Exception as error:
                    if self._is_from_database(error):
                        work.recover(error)
                    raise

    def _is_from_database(self, error: Exception) -> bool:
        driver: Any = self.engine.dialect.loaded_dbapi
        return isinstance(error, DBAPIError) or isinstance(error.__cause__, driver.Error)

    @contextmanager
    def transaction(self) -> Generator[Work]:
        """Commit everything inside together at the end, or nothing where an error leaves it.

        Nested blocks are savepoints. On SQLite the write lock is taken at the beginning, so
        that what is read inside is still true when it is written.
        """
        with scope() as opened:
            work = self.part(opened)
            # Other threads of the request wait: what they write is no part of this.
            with work.lock, work.transact():
                yield work

    @asynccontextmanager
    async def atransaction(self) -> AsyncGenerator[Work]:
        """`transaction()` for coroutines: `async with`, and other tasks of the request wait."""
        with scope() as opened:
            async with taking_turns(opened):
                work = self.part(opened)
                async with in_threads(work.transact(), opened):
                    yield work

    @property
    def in_transaction(self) -> bool:
        """Whether this context is inside `transaction()`."""
        opened = current_scope()
        work = opened.existing(self) if opened is not None else None
        return isinstance(work, Work) and work.depth > 0

    def changed(self, *tables: str, tags: Iterable[str] = ()) -> None:
        """Let no cached query answer for these tables any more, and revalidate their pages.

        Pages are those with `tags`, or with a tag of the tables' models that has no braces
        (`Model.revalidates`). Writes through models and SQLAlchemy's constructs call this
        after their commit; after raw SQL call it yourself.
        """
        if tables and self.queries is not None:
            taken = self.queries.changed(tables)
            # The memory of this process, and others have their own; or a store in trouble.
            if self.queries.at_once or not taken:
                tell(tables)
        # After the cached queries: a page that is rendered anew must not read old ones.
        publish((*table_tags(tables), *tags))

    def forget_queries(self, tables: Iterable[str] | None) -> None:
        """Let no cached query of this process answer for these tables any more; None for all.

        Where processes share the cache, who wrote has told it already, or could not.
        """
        if self.queries is None:
            return
        if not self.queries.at_once:
            self.queries.doubt(tables or ())
        elif tables is not None:
            self.queries.changed(tables)
        else:
            self.queries.forget()

    @contextmanager
    def connect(self) -> Generator[Connection]:
        """Yield a connection of its own inside one transaction, for SQLAlchemy Core."""
        with self.engine.connect() as connection:
            with connection.begin():
                yield connection
            written: set[str] = connection.info.pop(WRITTEN, set())
        self.changed(*written)

    def ping(self) -> None:
        """Run the smallest query; raises SQLAlchemy's error where the database is away."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def create_tables(self, metadata: MetaData | None = None) -> None:
        """Create the tables of all known models that are missing (tests; sites migrate)."""
        (Model.metadata if metadata is None else metadata).create_all(self.engine)

    def dispose(self) -> None:
        """Close all pooled connections; a later query opens new ones."""
        self.engine.dispose()


def _identity(url: URL) -> str:
    if url.get_backend_name() != "sqlite":
        return url.set(password=None).render_as_string()
    if url.database in (None, "", ":memory:"):
        return f"memory {uuid4()}"  # gone with this object
    return str(url.set(database=os.path.abspath(url.database or "")))
