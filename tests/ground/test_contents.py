"""Files are read once, and again only when they may have changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from asok.contents import Contents, remembered, remembering


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be remembered that were written just now."""
    monkeypatch.setattr("asok.contents._COARSE", -60_000_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_bytes(b"first")
    return path


@pytest.mark.usefixtures("at_once")
def test_a_file_that_is_as_it_was_is_not_read(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "state" / "contents"
    with remembering(memory):
        assert remembered(str(file)) == digest(b"first")
    reads: list[str] = []
    monkeypatch.setattr("asok.contents.Contents._read", lambda _, path: reads.append(path))
    before = memory.stat().st_ino
    with remembering(memory):
        assert remembered(str(file)) == digest(b"first")
    assert reads == []
    assert memory.stat().st_ino == before, "nothing new to write"


@pytest.mark.usefixtures("at_once")
def test_a_restored_time_hides_no_change(tmp_path: Path, file: Path) -> None:
    memory = tmp_path / "contents"
    stat = file.stat()
    with remembering(memory):
        remembered(str(file))
    file.write_bytes(b"other")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with remembering(memory):
        assert remembered(str(file)) == digest(b"other")
    other = tmp_path / "b.txt"
    other.write_bytes(b"third")
    os.rename(other, file)
    with remembering(memory):
        assert remembered(str(file)) == digest(b"third")


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path, file: Path) -> None:
    memory = tmp_path / "contents"
    with remembering(memory):
        assert remembered(str(file)) == digest(b"first")
    assert not memory.exists()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"\x82\xa6format\x00\xa5files\x80"])
def test_a_damaged_memory_is_none(tmp_path: Path, file: Path, damage: bytes) -> None:
    memory = tmp_path / "contents"
    memory.write_bytes(damage)
    assert Contents(memory).digest(str(file)) == digest(b"first")


@pytest.mark.usefixtures("at_once")
def test_inside_it_is_as_it_was_first_asked_for(tmp_path: Path, file: Path) -> None:
    memory = tmp_path / "contents"
    with remembering(memory):
        first = remembered(str(file))
        file.write_bytes(b"later")
        assert remembered(str(file)) == first
    assert remembered(str(file)) == digest(b"later")
    with remembering(memory):
        assert remembered(str(file)) == digest(b"later")


@pytest.mark.usefixtures("at_once")
def test_what_fails_leaves_no_memory(tmp_path: Path, file: Path) -> None:
    memory = tmp_path / "contents"

    def fail() -> None:
        with remembering(memory):
            remembered(str(file))
            remembered(str(tmp_path / "nothing"))

    with pytest.raises(FileNotFoundError):
        fail()
    assert not memory.exists()
    memory.mkdir()
    with remembering(memory):  # it can't be written: the next build reads everything
        remembered(str(file))
