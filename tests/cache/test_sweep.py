"""Sweeping a folder of entries: what has ended, what is too much, and nothing else."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from asok.cache.document import write_document
from asok.cache.file import FileStore
from asok.cache.sweep import Sweeper
from asok.testing.stores.asking import value_of

from .disk import files, refuse
from .places import FilePlace


@pytest.fixture
def store(file_place: FilePlace) -> FileStore:
    return file_place.open()


def test_a_sweep_removes_what_has_ended_and_leaves_the_rest(
    file_place: FilePlace, store: FileStore
) -> None:
    store.set("short", 1, ttl=10)
    store.set("grace", 1, ttl=10, stale=100)
    store.set("long", 1, ttl=1000)
    store.set("ever", "x" * 9000, ttl=None)
    folder = Path(store.path("ever")).parent
    for name, age in ((".tmp-old", 4000), (".tmp-new", 10), ("a.lease", 90_000), ("mine", 9e6)):
        (folder / name).write_text("")
        os.utime(folder / name, (time.time() - age, time.time() - age))
    file_place.let_pass(20)
    sweeper = Sweeper(store.folder, max_entries=100, max_bytes=10**9)
    sweeper.sweep_all()
    assert not Path(store.path("short")).exists()
    assert [store.get(key) is not None for key in ("grace", "long", "ever")] == [True] * 3
    assert {path.name for path in folder.iterdir()} >= {".tmp-new", "mine", ".lock"}
    assert not {path.name for path in folder.iterdir()} & {".tmp-old", "a.lease"}


@pytest.mark.parametrize("bounds", [(40, 10**9), (10**9, 40 * 200)])
def test_sweeps_hold_the_bounds_and_the_newest_stay(
    store: FileStore, bounds: tuple[int, int]
) -> None:
    for number in range(200):
        store.set(f"old{number}", "x" * 20, ttl=600)
    sweeper = Sweeper(store.folder, max_entries=bounds[0], max_bytes=bounds[1])
    for _ in range(8):  # each goes a part of the way, as it knows only sums
        sweeper.sweep_all()
    left = [path for path in files(store) if path.suffix == ".json"]
    assert 0 < len(left) <= min(bounds[0], 60)
    assert sum(path.stat().st_size for path in left) <= bounds[1]


def test_an_entry_written_again_since_it_was_seen_is_not_removed(store: FileStore) -> None:
    from asok.cache.sweep import _remove_same  # pyright: ignore[reportPrivateUsage]

    store.set("key", "old", ttl=60)
    path = store.path("key")
    seen = os.stat(path)
    time.sleep(0.02)  # the clock of the file system has a grain
    store.set("key", "new", ttl=60)
    _remove_same(os.path.dirname(path), path, seen)
    assert value_of(store, "key") == "new"
    _remove_same(os.path.dirname(path), path, os.stat(path))
    assert store.get("key") is None
    _remove_same(os.path.dirname(path), path, seen)


def test_writing_sweeps_now_and_then_in_the_background(file_place: FilePlace) -> None:
    store = file_place.open(max_entries=50)
    for number in range(1000):
        store.set(str(number), number, ttl=60)
        if number % 128 == 127:
            store.close()
    store.close()
    assert len([path for path in files(store) if path.suffix == ".json"]) < 500


def test_a_sweep_that_fails_is_logged(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse(errno.EIO))
        for number in range(130):
            store.set(str(number), 1, ttl=60)
        store.close()
    assert "could not be swept" in caplog.text


def test_write_document_refuses_where_the_folder_refuses(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_document(str(tmp_path / "none" / "a.json"), b"x", end=None)
