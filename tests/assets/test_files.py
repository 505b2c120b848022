"""Reading slices of files that may change under the reader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asok.assets.files import FileParts, FileSlice, locate, snapshot


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path.resolve() / "folder" / "x.bin"
    path.parent.mkdir()
    path.write_bytes(bytes(range(100)))
    return path


def test_a_slice_gives_its_bytes_whole_and_in_pieces(file: Path) -> None:
    part = FileSlice(file, 10, 50, file.parents[1]).part(5, 20)
    assert part.read() == bytes(range(15, 35))
    with part.open() as opened:
        pieces = list(part.pieces(opened, 8))
    assert [len(piece) for piece in pieces] == [8, 8, 4]
    assert b"".join(pieces) == part.read()


def test_parts_are_their_slices_behind_what_announces_them(file: Path) -> None:
    whole = FileSlice(file, 0, 100, file.parents[1])
    parts = FileParts(((b"late ", whole.part(90, 10)), (b" early ", whole.part(0, 3))), b" end")
    assert parts.read() == b"late " + bytes(range(90, 100)) + b" early " + bytes(range(3)) + b" end"
    assert parts.length == len(parts.read())
    os.truncate(file, 95)
    with pytest.raises(OSError, match="95 bytes, expected 100"):
        parts.open()


def test_a_file_that_was_cut_is_an_error_before_the_first_byte(file: Path) -> None:
    planned = FileSlice(file, 0, 100, file.parents[1])
    os.truncate(file, 50)
    with pytest.raises(OSError, match="50 bytes, expected 100"):
        planned.open()


def test_a_file_that_is_cut_while_it_is_read_is_an_error(file: Path) -> None:
    with file.open("rb") as opened, pytest.raises(OSError, match="before its planned end"):
        list(FileSlice(file, 0, 101, file.parent).pieces(opened))


def test_a_snapshot_is_bytes_up_to_its_limit(file: Path) -> None:
    root = file.parents[1]
    assert snapshot(file, root, limit=100)[0] == bytes(range(100))
    assert snapshot(file, root, limit=99)[0] == FileSlice(file, 0, 100, root)


def test_only_regular_files_are_opened(file: Path) -> None:
    root = file.parents[1]
    os.mkfifo(root / "pipe")
    for path in (root / "pipe", root / "folder"):
        with pytest.raises(OSError):
            snapshot(path, root, limit=9)
    assert locate(root, "pipe") is None
    assert locate(root, "folder") is None
    assert locate(root, "folder/x.bin") == file
    assert locate(root, "nul\0") is None
