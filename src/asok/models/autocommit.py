"""When a driver may open a transaction: for writes, and never for a read alone.

psycopg begins a transaction before any statement and keeps it until a commit: a request that
read one row and then waits would be "idle in transaction", which holds back vacuum and costs a
round trip for BEGIN and one for the end. So a connection of a scope commits by itself except
while something is written. Python's sqlite3 begins nothing for a SELECT.
"""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy.engine import Connection, Dialect

__all__ = ["Autocommit", "autocommit_of", "restore"]


class Autocommit(Protocol):
    """What one driver needs to be told."""

    def reading(self, connection: Connection) -> None:
        """Statements stand alone from now on, unless a transaction is open."""
        ...

    def writing(self, connection: Connection) -> None:
        """The next statement begins a transaction."""
        ...

    def open(self, connection: Connection) -> bool:
        """Whether the driver has begun a transaction."""
        ...


class Psycopg:
    """psycopg 3: a flag of the connection, changed without a round trip."""

    def reading(self, connection: Connection) -> None:
        _set(connection, on=True)

    def writing(self, connection: Connection) -> None:
        _set(connection, on=False)

    def open(self, connection: Connection) -> bool:
        return not _idle(connection.connection.dbapi_connection)


class Unneeded:
    """A driver that begins a transaction with the first write: sqlite3."""

    def reading(self, connection: Connection) -> None:
        pass

    def writing(self, connection: Connection) -> None:
        pass

    def open(self, connection: Connection) -> bool:
        return getattr(connection.connection.dbapi_connection, "in_transaction", False)


def autocommit_of(dialect: Dialect) -> Autocommit:
    """Return what the driver of a dialect needs."""
    return Psycopg() if dialect.driver == "psycopg" else Unneeded()


def restore(dbapi_connection: Any, _record: object) -> None:
    """Give the pool a connection back as its other users know it (SQLAlchemy's `checkin`)."""
    if dbapi_connection is not None and not dbapi_connection.closed and _idle(dbapi_connection):
        dbapi_connection.autocommit = False


def _idle(dbapi_connection: Any) -> bool:
    return dbapi_connection.info.transaction_status == 0  # psycopg.pq.TransactionStatus.IDLE


def _set(connection: Connection, *, on: bool) -> None:
    if connection.invalidated or connection.closed:
        return
    dbapi: Any = connection.connection.dbapi_connection
    # Inside a transaction psycopg refuses; there it is what it has to be.
    if dbapi.autocommit is not on and not dbapi.closed and _idle(dbapi):
        dbapi.autocommit = on
