"""Files are whole or absent, whatever goes wrong."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from asok import atomic
from asok.atomic import FileLock


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    atomic.write(path, b"data", sync=True)
    atomic.sync_folder(path.parent)
    assert path.read_bytes() == b"data"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic.write(path, b"old")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_link_is_switched_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "current"
    atomic.replace(link, "one")
    atomic.replace(link, "two")
    assert os.readlink(link) == "two"

    def refuse(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match="no"):
        atomic.replace(link, "three")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["current"]


def hold(path: Path, ready: str) -> None:
    with FileLock(path).hold():
        Path(ready).touch()
        import time

        time.sleep(60)


def test_a_lock_excludes_threads_and_processes_and_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    with FileLock(path).attempt() as first, FileLock(path).attempt() as second:
        assert first
        assert not second
    ready = tmp_path / "ready"
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(path, str(ready)))
    process.start()
    while not ready.exists():
        assert process.is_alive()
    with FileLock(path).attempt() as got:
        assert not got
    process.kill()
    process.join()
    with FileLock(path).hold(), FileLock(path).attempt() as got:
        assert not got
    with FileLock(path).attempt() as got:
        assert got
