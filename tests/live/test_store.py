"""The contract of every live store, on memory, SQLite and Redis."""

from __future__ import annotations

import builtins
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from asok.errors import ConfigurationError
from asok.live import LiveStore, MemoryLiveStore, RedisLiveStore, Row, SqliteLiveStore

from .ports import StoreMaker, in_fork
from .worker import make_store

ROW = Row(b'{"a":"\xc3\xa9"}', 3, "schema", "props", 1, {"tab": (4, 3)})


class Clock:
    now = 1_700_000_000.25

    def __call__(self) -> float:
        return self.now


def test_a_row_comes_back_as_it_was(make_store: StoreMaker) -> None:
    store = make_store()

    assert store.load("o", "c") is None
    assert store.save("o", "c", ROW, replaces=0)
    assert store.load("o", "c") == ROW
    assert store.load("o", "d") is None
    assert store.load("p", "c") is None


def test_stores_of_other_workers_see_it(make_store: StoreMaker) -> None:
    first, second = make_store(), make_store()
    first.save("o", "c", ROW, replaces=0)

    assert second.load("o", "c") == ROW


def test_only_the_named_revision_is_replaced(make_store: StoreMaker) -> None:
    store = make_store()
    store.save("o", "c", ROW, replaces=0)
    second = replace(ROW, revision=2, version=4)

    assert not store.save("o", "c", second, replaces=0)
    assert not store.save("o", "c", second, replaces=7)
    assert store.save("o", "c", second, replaces=1)
    assert not store.save("o", "c", replace(ROW, revision=3), replaces=1)
    assert store.load("o", "c") == second


def test_a_row_that_is_not_there_can_not_be_replaced(make_store: StoreMaker) -> None:
    assert not make_store().save("o", "c", ROW, replaces=1)


def test_a_row_expires_after_its_last_use(make_store: StoreMaker) -> None:
    clock = Clock()
    store = make_store(seconds=60, clock=clock)
    store.save("o", "c", ROW, replaces=0)
    store.save("o", "d", ROW, replaces=0)

    clock.now += 50
    store.touch("o", ["c", "unknown"])
    clock.now += 30

    assert store.load("o", "c") == ROW
    assert store.load("o", "d") is None
    assert not store.save("o", "d", replace(ROW, revision=2), replaces=1)
    assert store.save("o", "d", replace(ROW, revision=9), replaces=0)


def test_touching_does_not_revive(make_store: StoreMaker) -> None:
    clock = Clock()
    store = make_store(seconds=60, clock=clock)
    store.save("o", "c", ROW, replaces=0)

    clock.now += 61
    store.touch("o", ["c"])

    assert store.load("o", "c") is None


def test_a_dropped_session_takes_no_row_again(make_store: StoreMaker) -> None:
    store, other = make_store(), make_store()
    store.save("o", "c", ROW, replaces=0)
    store.save("p", "c", ROW, replaces=0)

    other.drop("o")
    other.drop("o")

    assert store.load("o", "c") is None
    assert not store.save("o", "c", replace(ROW, revision=2), replaces=1)
    assert not store.save("o", "c", ROW, replaces=0)
    assert store.load("p", "c") == ROW


def test_a_session_that_is_moved_takes_its_rows_along_and_is_dropped(
    make_store: StoreMaker,
) -> None:
    store, other = make_store(), make_store()
    store.save("o", "a", ROW, replaces=0)
    store.save("o", "b", ROW, replaces=0)
    store.save("p", "a", ROW, replaces=0)

    other.move("o", "n")
    other.move("nobody", "m")

    assert store.load("n", "a") == store.load("n", "b") == ROW
    assert store.load("o", "a") is None
    assert not store.save("o", "a", replace(ROW, revision=2), replaces=ROW.revision)
    assert not store.save("o", "a", ROW, replaces=0)
    assert store.save("n", "a", replace(ROW, revision=ROW.revision + 1), replaces=ROW.revision)
    assert store.save("m", "a", ROW, replaces=0)


def test_a_session_that_ended_is_known_to_have(make_store: StoreMaker) -> None:
    first, second = make_store(), make_store()
    first.save("moved", "c", ROW, replaces=0)
    first.drop("dropped")
    first.move("moved", "successor")

    known = ("dropped", "moved", "successor", "other")
    assert [second.ended(owner) for owner in known] == [True, True, False, False]


def test_a_turn_is_held_once_until_it_is_released(make_store: StoreMaker) -> None:
    store, other = make_store(), make_store()
    turn = store.acquire("o", "c")

    assert turn is not None
    assert store.acquire("o", "c") is None
    assert other.acquire("o", "c") is None
    elsewhere = other.acquire("o", "d")
    assert elsewhere is not None
    turn.release()
    turn.release()
    following = other.acquire("o", "c")
    assert following is not None
    turn.release()  # a late second release frees nobody else's turn
    assert store.acquire("o", "c") is None or isinstance(store, MemoryLiveStore)
    following.release()
    elsewhere.release()


def test_of_many_writers_one_wins_each_revision(make_store: StoreMaker) -> None:
    stores = [make_store() for _ in range(4)]
    stores[0].save("o", "c", replace(ROW, version=0), replaces=0)
    wins: list[int] = []

    def write(store: LiveStore) -> None:
        for _ in range(25):
            row = store.load("o", "c")
            assert row is not None
            following = replace(row, version=row.version + 1, revision=row.revision + 1)
            if store.save("o", "c", following, replaces=row.revision):
                wins.append(1)

    threads = [threading.Thread(target=write, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    row = stores[0].load("o", "c")
    assert row is not None
    assert row.version == len(wins) > 0


def test_closing_twice_is_harmless(make_store: StoreMaker) -> None:
    store = make_store()
    store.save("o", "c", ROW, replaces=0)
    store.close()
    store.close()


HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
import worker
assert worker.make_store(sys.argv[2], sys.argv[3]).acquire("o", "c") is not None
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_killed_holder_loses_its_turn(kind: str, redis_url: str, tmp_path: Path) -> None:
    spec = f"redis:{redis_url}" if kind == "redis" else f"sqlite:{tmp_path / 'live.sqlite3'}"
    store = make_store(spec, tmp_path.name)
    here = str(Path(__file__).parent)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, here, spec, tmp_path.name], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
    assert store.acquire("o", "c") is None

    holder.kill()
    holder.wait()

    turn = None
    while turn is None:
        turn = store.acquire("o", "c")
    turn.release()
    store.close()


def test_a_turn_in_redis_is_prolonged_while_it_is_held(redis_url: str, tmp_path: Path) -> None:
    holder = RedisLiveStore(redis_url, prefix=tmp_path.name, lease_seconds=0.3)
    other = RedisLiveStore(redis_url, prefix=tmp_path.name, lease_seconds=0.3)
    try:
        turn = holder.acquire("o", "c")
        assert turn is not None
        end = time.monotonic() + 0.9
        while time.monotonic() < end:
            assert other.acquire("o", "c") is None
            time.sleep(0.05)
        turn.release()
        assert other.acquire("o", "c") is not None
    finally:
        holder.close()
        other.close()


def test_a_redis_that_goes_away_while_a_turn_is_held_is_survived(
    redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisLiveStore(redis_url, prefix=tmp_path.name, lease_seconds=0.06)
    try:
        assert store.acquire("o", "c") is not None

        def fail(**_: Any) -> None:
            raise OSError("away")

        store._turn = fail  # pyright: ignore[reportPrivateUsage]
        while "could not be prolonged" not in caplog.text:
            time.sleep(0.01)
    finally:
        store.close()


def test_without_redis_py_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def fail(name: str, *rest: Any) -> Any:
        if name == "redis":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "redis", raising=False)
    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(ConfigurationError, match=r'pip install "asok\[redis\]"'):
        RedisLiveStore("redis://localhost")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_expired_rows_are_removed_now_and_then(kind: str, tmp_path: Path) -> None:
    clock = Clock()
    store: Any = (
        MemoryLiveStore(seconds=60, clock=clock)
        if kind == "memory"
        else SqliteLiveStore(tmp_path / "live.sqlite3", seconds=60, clock=clock)
    )
    for number in range(20):
        store.save(f"o{number}", "c", ROW, replaces=0)
    store.drop("gone")

    clock.now += 90_000
    store.save("new", "c", ROW, replaces=0)

    if kind == "memory":
        assert len(store._rows) == 1
        assert store._dropped == {}
    else:
        query = "SELECT (SELECT count(*) FROM live), (SELECT count(*) FROM dropped)"
        assert store._file.connection().execute(query).fetchone() == (1, 0)
        store.close()


def test_a_forked_worker_opens_its_own_database(tmp_path: Path) -> None:
    store = SqliteLiveStore(tmp_path / "live.sqlite3")
    store.save("o", "c", ROW, replaces=0)
    held = store.acquire("o", "c")

    def child() -> bool:
        row = store.load("o", "c")
        assert held is not None
        held.release()  # the parent's: nothing happens
        return row == ROW and store.acquire("o", "c") is None

    assert in_fork(child)
    assert store.acquire("o", "c") is None
    store.close()


def test_a_drop_that_fails_leaves_everything(tmp_path: Path) -> None:
    store = SqliteLiveStore(tmp_path / "live.sqlite3")
    store.save("o", "c", ROW, replaces=0)

    def fail() -> float:
        raise OSError("no clock")

    clock, store._clock = store._clock, fail  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(OSError, match="no clock"):
        store.drop("o")
    store._clock = clock  # pyright: ignore[reportPrivateUsage]

    assert store.load("o", "c") == ROW
    store.close()


def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    store = SqliteLiveStore(tmp_path / "deep" / "live.sqlite3")
    store.save("o", "c", ROW, replaces=0)
    store.acquire("o", "c")

    for file in (tmp_path / "deep").iterdir():
        assert file.stat().st_mode & 0o077 == 0 or file.name.endswith(("-wal", "-shm"))
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700
    store.close()
