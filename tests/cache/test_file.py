"""The file store: the contract, damage, permissions, clocks, and several processes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pickle
import shutil
import stat
import time
from pathlib import Path
from zlib import crc32

import pytest

from asok.cache import Cache, clock
from asok.cache.file import FileStore
from asok.errors import CacheUnavailable
from asok.testing.stores import CacheContract
from asok.testing.stores.asking import value_of

from .contract import StoreContract
from .disk import files, refuse
from .places import FilePlace
from .workers import start


@pytest.fixture
def place(file_place: FilePlace) -> FilePlace:
    return file_place


class TestFileStore(StoreContract):
    pass


class TestFileCache(CacheContract):
    pass


@pytest.fixture
def store(place: FilePlace) -> FileStore:
    return place.open()


# The files


def test_an_entry_is_a_json_document_that_a_person_can_read(store: FileStore) -> None:
    store.set("user:5", {"name": "Ann", "at": (1, 2)}, ttl=60, tags=(("users", "abc"),))
    document = json.loads(Path(store.path("user:5")).read_text())
    assert document["key"] == "user:5"
    assert document["value"] == {"name": "Ann", "at": {"$tuple": [1, 2]}}
    assert document["ttl"] == 60
    assert document["tags"] == [["users", "abc"]]


def test_folders_and_files_are_for_the_owner_only(store: FileStore) -> None:
    for number in range(20):
        store.set(str(number), "x" * number * 1000, ttl=60)
    lease = store.lease("lease")
    for path in [Path(store.folder), *Path(store.folder).rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert lease is not None
    lease.release()


def test_folders_that_were_removed_under_a_running_site_are_made_again(store: FileStore) -> None:
    store.set("key", 1, ttl=60)
    shutil.rmtree(store.folder)
    assert store.get("key") is None
    lease = store.lease("key")
    assert store.set("key", 2, ttl=60, lease=lease)
    assert value_of(store, "key") == 2
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700


def test_more_keys_than_are_remembered_are_found(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.cache.file._REMEMBERED", 3)
    for number in range(10):
        store.set(str(number), number, ttl=60)
    assert [value_of(store, str(number)) for number in range(10)] == list(range(10))
    assert len(store._paths) <= 3  # pyright: ignore[reportPrivateUsage]


def test_nothing_is_made_before_the_first_write(store: FileStore) -> None:
    assert store.get("key") is None
    store.clear()
    assert not Path(store.folder).exists()


@pytest.mark.parametrize("sizes", [(10, 3000), (3000, 10), (10, 9000), (9000, 10), (200_000, 5)])
def test_a_shorter_or_longer_value_takes_the_place_of_another(
    store: FileStore, sizes: tuple[int, int]
) -> None:
    for size in sizes:
        store.set("key", "x" * size, ttl=60)
        assert value_of(store, "key") == "x" * size
        json.loads(Path(store.path("key")).read_text())
    assert len([path for path in files(store) if path.suffix == ".json"]) == 1
    assert len(files(store)) == 2  # and the lock


# Damage


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("/tmp/asok-was-unpickled",))


DEEP = b'"value":' + b"[" * 90_000

DAMAGE = {
    "empty": b"",
    "list": b"[]",
    "null": b"null",
    "garbage": b"\xff\x00garbage" * 50,
    "pickle": pickle.dumps(Trap()),
    "json": b'{"key":"key","value":1}',
    "head only": b'{"check":"00000000","key":',
    "no key": b'{"check":"%08x","value":1}' % crc32(b'"value":1}'),
    "deep": b'{"check":"%08x",' % crc32(DEEP) + DEEP,
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_a_miss_and_heals(store: FileStore, content: bytes) -> None:
    store.set("key", "good", ttl=60)
    path = Path(store.path("key"))
    path.write_bytes(content)
    assert store.get("key") is None
    assert store.add("key", "healed", ttl=60)
    assert value_of(store, "key") == "healed"
    path.write_bytes(content)
    assert store.incr("key", 2, ttl=60) == 2
    path.write_bytes(content)
    assert not store.touch("key", 60)
    assert store.set("key", "healed", ttl=60)
    assert value_of(store, "key") == "healed"
    assert not Path("/tmp/asok-was-unpickled").exists()


@pytest.mark.parametrize("size", [100, 9000])
def test_every_truncation_is_a_miss(store: FileStore, size: int) -> None:
    store.set("key", "x" * size, ttl=60)
    path = Path(store.path("key"))
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:length])
        assert store.get("key") is None, length
    path.write_bytes(whole + b"what an older and longer document left")
    assert store.get("key") is None


def test_every_changed_byte_is_a_miss(store: FileStore) -> None:
    store.set("key", {"a": "value"}, ttl=60)
    path = Path(store.path("key"))
    whole = path.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1
        path.write_bytes(changed)
        assert store.get("key") is None, position


def test_a_document_with_a_value_that_this_cache_never_writes_is_a_miss(
    store: FileStore,
) -> None:
    from asok.cache.record import Record

    for value in ({"$bytes": 5}, {"$datetime": []}, {"$os.system": "true"}, {"$set": [[1]]}):
        record = Record.make("key", 1, 60.0, 0.0, ())
        record.value = value
        store.set("key", 1, ttl=60)
        Path(store.path("key")).write_bytes(record.encode())
        assert store.get("key") is None


def test_another_keys_file_is_a_miss(store: FileStore) -> None:
    store.set("one", 1, ttl=60)
    store.set("two", 2, ttl=60)
    Path(store.path("one")).rename(store.path("two"))
    assert store.get("two") is None
    assert store.add("two", 3, ttl=60)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_a_miss(store: FileStore, tmp_path: Path, kind: str) -> None:
    store.set("key", 1, ttl=60)
    path = Path(store.path("key"))
    path.unlink()
    other = tmp_path / "other"
    other.write_text("not of the cache")
    if kind == "link":
        path.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert store.get("key") is None
    if kind == "folder":
        with pytest.raises(CacheUnavailable):
            store.set("key", 2, ttl=60)
    else:
        assert store.set("key", 2, ttl=60)
        assert value_of(store, "key") == 2
    assert other.read_text() == "not of the cache"


def test_clear_leaves_what_is_not_of_the_cache(store: FileStore) -> None:
    store.set("key", "x" * 9000, ttl=60)
    kept = Path(store.folder, "notes.txt")
    kept.write_text("mine")
    beside = Path(store.path("key")).with_name("mine.txt")
    beside.write_text("mine")
    leftover = beside.with_name(".tmp-1234")
    leftover.write_text("half")
    other = Cache(backend="file", path=store.folder, namespace="other")
    other.set("key", 5)
    store.clear()
    assert kept.exists()
    assert beside.exists()
    assert not leftover.exists()
    assert not Path(store.path("key")).exists()
    assert other.get("key") == 5
    other.flush()
    assert not other.has("key")


# A disk or a permission that refuses


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.EROFS, errno.EMFILE])
@pytest.mark.parametrize("size", [10, 9000])
def test_a_refusing_disk_keeps_the_old_value_and_the_page(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, code: int, size: int
) -> None:
    cache = Cache(store)
    cache.set("key", "old", ttl=60)
    for name in ("write", "open"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, refuse(code))
            with pytest.raises(CacheUnavailable, match=store.folder):
                store.set("key", "x" * size, ttl=60)
            assert cache.set("new", "x" * size) is False
            assert cache.remember("new", 60, lambda: "x" * size) == "x" * size
            assert cache.incr("n") == 1
        assert cache.get("key") == "old"
        assert not cache.has("new")
        assert cache.counters.errors
    assert not [path for path in files(store) if path.name.startswith(".tmp-")]


def test_a_disk_that_is_full_in_the_middle_leaves_no_half_file(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    store.set("other", 1, ttl=60)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: real(handle, data[:20]))  # pyright: ignore
        with pytest.raises(CacheUnavailable, match="only a part"):
            store.set("key", "value", ttl=60)
    assert not Path(store.path("key")).exists()


def test_reading_trouble_is_a_miss_for_the_region(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(store)
    cache.set("key", 1, tags=["t"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse(errno.EIO))
        for _ in range(5):
            assert cache.get("key", "miss") == "miss"
        assert cache.get_many(["key"]) == {}
        assert not cache.forget("key")
        assert cache.remember("key", 60, lambda: "computed", tags=["t"]) == "computed"
    assert cache.get("key") == 1
    assert caplog.text.count("counts as empty") == 1, "one line now and then, not one a call"


def test_a_folder_that_somebody_else_locks_is_trouble(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set("key", 1, ttl=60)
    monkeypatch.setattr("asok.cache.folder_lock._LIMIT", 0.05)
    lock = Path(store.path("key")).with_name(".lock")
    holder = start(
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('ready', flush=True); input()",
        str(lock),
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(CacheUnavailable, match="held by another process"):
            store.set("key", 2, ttl=60)
        assert value_of(store, "key") == 1, "readers take no lock"
    finally:
        holder.communicate("\n")
    assert store.set("key", 2, ttl=60)


def test_a_file_system_without_locks_is_trouble_and_keeps_no_file_open(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set("key", 1, ttl=60)
    opened = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
        for _ in range(3):
            with pytest.raises(CacheUnavailable, match="No locks"):
                store.set("key", 2, ttl=60)
    assert len(os.listdir("/proc/self/fd")) == opened
    assert value_of(store, "key") == 1


# Clocks


@pytest.mark.parametrize("day", [-86400, 86400])
def test_setting_the_wall_clock_does_not_change_the_end(
    place: FilePlace, store: FileStore, monkeypatch: pytest.MonkeyPatch, day: float
) -> None:
    store.set("key", 1, ttl=60)
    monkeypatch.setattr(clock, "wall", lambda: time.time() + day)
    assert value_of(store, "key") == 1
    running = clock.running
    monkeypatch.setattr(clock, "running", lambda: running() + 61)
    assert store.get("key") is None


def test_after_a_boot_the_wall_clock_decides(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set("key", 1, ttl=60)
    monkeypatch.setattr(clock, "boot_name", lambda: "another boot")
    monkeypatch.setattr(clock, "running", lambda: 5.0)
    for later, there in ((30, True), (61, False), (-1, False), (-86400, False)):
        monkeypatch.setattr(clock, "wall", lambda later=later: time.time() + later)
        assert (store.get("key") is not None) == there, later


def test_a_machine_without_a_name_for_its_boot_uses_the_wall_clock(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_to_read(_: Path) -> str:
        raise PermissionError

    clock.boot_name.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse_to_read)
        assert clock.boot_name() == ""
        store.set("key", 1, ttl=60)
        assert value_of(store, "key") == 1
        patch.setattr(clock, "wall", lambda: time.time() + 61)
        assert store.get("key") is None
    clock.boot_name.cache_clear()


def test_a_lease_whose_file_was_removed_before_its_lock_is_none(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def purge_first(handle: int, how: int) -> None:
        for path in Path(store.folder).rglob("*.lease"):
            path.unlink()
        real(handle, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", purge_first)
        assert store.lease("key") is None
        patch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
        with pytest.raises(CacheUnavailable):
            store.lease("key")
    lease = store.lease("key")
    assert lease is not None
    lease.release()
