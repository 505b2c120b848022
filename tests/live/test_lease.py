"""Locked bytes: one holder each, on both kinds of kernel locks."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from asok.live.lease import ByteLocks

from .ports import in_fork


@pytest.fixture(params=[True, False], ids=["open-file", "posix"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[ByteLocks]:
    made = ByteLocks(tmp_path / "a" / "lock", open_file_locks=request.param)
    yield made
    made.close()


def other_process_gets(locks: ByteLocks, key: bytes) -> bool:
    return in_fork(lambda: locks.attempt(key) is not None)


def test_a_key_is_held_once(locks: ByteLocks) -> None:
    lease = locks.attempt(b"a")

    assert lease is not None
    assert locks.attempt(b"a") is None
    assert not other_process_gets(locks, b"a")
    assert other_process_gets(locks, b"b")
    lease.release()
    assert other_process_gets(locks, b"a")


def test_a_process_that_ended_holds_nothing(locks: ByteLocks) -> None:
    assert other_process_gets(locks, b"a")
    assert locks.attempt(b"a") is not None


def test_two_stores_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    first, second = ByteLocks(tmp_path / "lock"), ByteLocks(tmp_path / "lock")
    lease = first.attempt(b"a")

    assert lease is not None
    assert second.attempt(b"a") is None
    second.close()
    assert not other_process_gets(ByteLocks(tmp_path / "lock"), b"a")
    first.close()
    first.close()
    lease.release()
    assert second.attempt(b"a") is not None
    second.close()
