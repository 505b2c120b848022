"""Live state in one SQLite file (WAL), shared by all workers of a machine: the default.

A compare-and-set is one statement; the turn of a call is a kernel lock (`lease.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from asok.live.lease import ByteLocks
from asok.live.store import DROPPED_SECONDS, Lease, Row
from asok.sqlite_file import SqliteFile

__all__ = ["SqliteLiveStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS live (
    owner TEXT NOT NULL, cid TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL,
    schema TEXT NOT NULL, props TEXT NOT NULL, tabs TEXT NOT NULL, state BLOB NOT NULL,
    expires REAL NOT NULL, PRIMARY KEY (owner, cid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS live_expires ON live (expires);
CREATE TABLE IF NOT EXISTS dropped (
    owner TEXT PRIMARY KEY, expires REAL NOT NULL
) WITHOUT ROWID;
"""

_LOAD = """SELECT state, version, schema, props, revision, tabs FROM live
WHERE owner = ? AND cid = ? AND expires > ?"""

# The revision is compared by the statement that writes, so two writers can't both win.
_REPLACE = """UPDATE live SET state = ?, version = ?, schema = ?, props = ?, revision = ?,
    tabs = ?, expires = ?
WHERE owner = ? AND cid = ? AND revision = ? AND expires > ?"""

# Dropping deletes the rows and notes the owner in one transaction, so only a new row can
# come from a session that was dropped: looking it up here is enough.
_CREATE = """INSERT INTO live (state, version, schema, props, revision, tabs, expires, owner, cid)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM dropped WHERE owner = ?)
ON CONFLICT (owner, cid) DO UPDATE SET state = excluded.state, version = excluded.version,
    schema = excluded.schema, props = excluded.props, revision = excluded.revision,
    tabs = excluded.tabs, expires = excluded.expires
WHERE live.expires <= ?"""


class SqliteLiveStore:
    """Rows in the database at `path`, whose folder is made with mode 0700. `seconds` is a
    row's life since its last use."""

    blocking = False
    shared = True

    def __init__(
        self, path: Path, *, seconds: float = 3600.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._locks = ByteLocks(path.with_name(path.name + ".lock"))
        self._file = SqliteFile(path, _SCHEMA)
        self._pruned = 0.0

    def load(self, owner: str, cid: str) -> Row | None:
        row = self._file.connection().execute(_LOAD, (owner, cid, self._clock())).fetchone()
        if row is None:
            return None
        state, version, schema, props, revision, tabs = row
        seen = {tab: (started, done) for tab, (started, done) in json.loads(tabs).items()}
        return Row(state, version, schema, props, revision, seen)

    def save(self, owner: str, cid: str, row: Row, *, replaces: int) -> bool:
        now = self._clock()
        connection = self._file.connection()
        values = (
            row.state,
            row.version,
            row.schema,
            row.props,
            row.revision,
            json.dumps(row.tabs),
            now + self._seconds,
            owner,
            cid,
        )
        if replaces:
            cursor = connection.execute(_REPLACE, (*values, replaces, now))
        else:
            if now - self._pruned > 60:
                self._pruned = now
                connection.execute("DELETE FROM live WHERE expires <= ?", (now,))
                connection.execute("DELETE FROM dropped WHERE expires <= ?", (now,))
            cursor = connection.execute(_CREATE, (*values, owner, now))
        return cursor.rowcount == 1

    def acquire(self, owner: str, cid: str) -> Lease | None:
        return self._locks.attempt(f"{owner}\0{cid}".encode())

    def touch(self, owner: str, cids: Iterable[str]) -> None:
        now = self._clock()
        self._file.connection().executemany(
            "UPDATE live SET expires = ? WHERE owner = ? AND cid = ? AND expires > ?",
            [(now + self._seconds, owner, cid, now) for cid in cids],
        )

    def drop(self, owner: str) -> None:
        self._end("DELETE FROM live WHERE owner = ?", owner)

    def move(self, owner: str, successor: str) -> None:
        self._end("UPDATE OR REPLACE live SET owner = ? WHERE owner = ?", successor, owner)

    def ended(self, owner: str) -> bool:
        question = "SELECT 1 FROM dropped WHERE owner = ?"
        return self._file.connection().execute(question, (owner,)).fetchone() is not None

    def _end(self, what: str, *owners: str) -> None:
        """Do what becomes of the rows of a session, the last of `owners`, that ends."""
        with self._file.transaction() as connection:
            connection.execute(what, owners)
            connection.execute(
                "INSERT OR REPLACE INTO dropped VALUES (?, ?)",
                (owners[-1], self._clock() + DROPPED_SECONDS),
            )

    def close(self) -> None:
        self._file.close()
        self._locks.close()
