"""The database in tests: how many queries something takes, and nothing kept of it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from asok.models import configured_database

__all__ = ["Queries", "queries", "rollback"]


class Queries(list[str]):
    """The SQL statements that were run, oldest first; `len(…)` is their number."""


@contextmanager
def queries() -> Generator[Queries]:
    """Count the queries of the site's database inside the block, whoever runs them.

    `with queries() as ran: client.get("/")`, then `assert len(ran) == 2, ran`.
    """
    from sqlalchemy import event

    ran = Queries()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        ran.append(statement)

    engine = configured_database().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(engine, "before_cursor_execute", note)


class _Undo(Exception):
    """Ends the transaction of `rollback`."""


@contextmanager
def rollback() -> Generator[None]:
    """Undo at the end whatever was written to the site's database inside the block.

    It holds for pages that `client` asks for and for components too: all of it is one
    transaction, and commits are savepoints. So nothing is told to listeners of commits.
    """
    from asok import models
    from asok.models.work import Work

    database = configured_database()
    with models.scope() as opened:
        work = opened.part(database, lambda: Work(database))
        try:
            with work.transact():
                yield
                raise _Undo
        except _Undo:
            pass
