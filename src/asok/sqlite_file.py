"""A SQLite file (WAL) that many threads and forked workers of a site write to.

Each thread has its own connection, which is closed once the thread has ended: servers end
threads that have nothing to do and begin new ones later. A forked worker opens its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = ["SqliteFile", "turn_to_wal"]

#: Seconds that a statement waits for the others.
_PATIENCE: Final = 5.0


class SqliteFile:
    """The database at `path`, whose folder is made with mode 0700; `schema` makes its tables."""

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self._schema = schema
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection; it commits by itself."""
        if self._pid != os.getpid():  # forked: SQLite connections do not survive it
            self._begin()
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._open()
            with self._lock:
                ended = [thread for thread in self._connections if not thread.is_alive()]
                for thread in ended:
                    self._connections.pop(thread).close()
                self._connections[threading.current_thread()] = found
        return found

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = sqlite3.connect(
            self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        turn_to_wal(made)
        # A crash of the machine may lose the last writes, never a part of one.
        made.execute("PRAGMA synchronous=NORMAL")
        made.executescript(self._schema)
        with suppress(OSError):
            self.path.chmod(0o600)
        return made

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Write all of a block or nothing; no other writer is in between."""
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close every connection; a later use opens new ones."""
        with self._lock:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()
        self._local = threading.local()


def turn_to_wal(connection: sqlite3.Connection) -> None:
    """Have the file keep a write-ahead log. Raises `sqlite3.OperationalError` after 5 seconds.

    Two that do this to a new file at once stand in each other's way, and SQLite tells one of
    them at once instead of letting it wait (sqlite.org/c3ref/busy_handler.html).
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.005)
