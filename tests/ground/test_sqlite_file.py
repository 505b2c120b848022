"""A SQLite file: connections that go with their threads, and blocks that are whole or nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from asok.sqlite_file import SqliteFile

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER);"


def test_the_connection_of_a_thread_is_closed_once_it_has_ended(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "deep" / "t.sqlite3", SCHEMA)
    own = file.connection()
    assert file.connection() is own
    for _ in range(20):
        thread = threading.Thread(target=file.connection)
        thread.start()
        thread.join()
    assert len(file) <= 2
    file.close()
    assert len(file) == 0
    assert file.connection() is not own
    file.close()
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_block_that_fails_writes_nothing(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "t.sqlite3", SCHEMA)
    with file.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1)")

    def fail() -> None:
        with file.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (2)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert file.connection().execute("SELECT n FROM t").fetchall() == [(1,)]
    file.close()


def test_many_make_a_new_file_at_once(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def begin(path: Path, barrier: threading.Barrier) -> None:
        own = SqliteFile(path, SCHEMA)  # as each process has
        barrier.wait()
        try:
            own.connection()
        except Exception as error:  # noqa: BLE001 (told below)
            failures.append(error)
        own.close()

    for number in range(60):
        given = tmp_path / f"{number}.sqlite3", threading.Barrier(8)
        threads = [threading.Thread(target=begin, args=given) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
