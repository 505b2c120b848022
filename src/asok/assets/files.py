"""Files inside a root folder: found, opened and read without ever leaving it.

`locate` resolves every symbolic link and keeps what stays inside. `FileSlice.open` then
walks the resolved path again, folder by folder, refusing links: whoever swaps a file or a
folder for a link after the check gets an error, not another file's bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["CHUNK", "FileParts", "FileSlice", "locate", "snapshot"]

#: Bytes in a piece of a file that is sent in pieces.
CHUNK = 64 * 1024

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO that was put in the folder must not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def locate(root: Path, name: str) -> Path | None:
    """Return the real path of the file `name` under `root`, None where there is none inside.

    `root` must itself be a real path (`Path.resolve()`), `name` well formed. A folder, a
    device, and a link that leads out are all None: a visitor can't tell them from absence.
    """
    try:
        path = Path(os.path.realpath(root / name, strict=True))
        if not path.is_relative_to(root) or not stat.S_ISREG(path.stat().st_mode):
            return None
    except (OSError, ValueError):
        return None
    return path


@dataclass(frozen=True, slots=True)
class FileSlice:
    """`length` bytes of the file at `path` from `start`; the file lies under `root`.

    Both paths are real ones, as `locate` returns them. Open it before the status is sent:
    a file that went away or shrank since it was planned raises `OSError` there.
    """

    path: Path
    start: int
    length: int
    root: Path

    def part(self, start: int, length: int) -> FileSlice:
        """Return a slice of this slice."""
        return FileSlice(self.path, self.start + start, length, self.root)

    def open(self) -> BinaryIO:
        """Return the file, open for reading and set to `start`. Raises `OSError`."""
        file = _opened(self.root, self.path)
        try:
            size = os.fstat(file.fileno()).st_size
            if size < self.start + self.length:
                raise OSError(
                    f"{self.path} has {size} bytes, expected {self.start + self.length}: "
                    "it was cut after it was planned"
                )
            file.seek(self.start)
        except BaseException:
            file.close()
            raise
        return file

    def read(self) -> bytes:
        """Return the slice's bytes. Raises `OSError`."""
        with self.open() as file:
            return file.read(self.length)

    def pieces(self, file: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
        """Yield the slice out of `file`, as `open` returned it, at most `size` bytes at a time.

        Raises `OSError` where the file ends before: the response was promised whole.
        """
        yield from _read_chunks(file, self.length, size)


@dataclass(frozen=True, slots=True)
class FileParts:
    """Slices of one file, each behind the bytes that announce it, and the bytes at the end."""

    parts: tuple[tuple[bytes, FileSlice], ...]
    end: bytes

    @property
    def length(self) -> int:
        """All bytes together."""
        return sum(len(head) + part.length for head, part in self.parts) + len(self.end)

    def open(self) -> BinaryIO:
        """Return the file, open for reading. Raises `OSError`, also where it is too short."""
        return max((part for _, part in self.parts), key=lambda part: part.start).open()

    def read(self) -> bytes:
        """Return all bytes. Raises `OSError`."""
        with self.open() as file:
            return b"".join(self.pieces(file))

    def pieces(self, file: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
        """Yield the bytes, those of slices out of `file`, at most `size` of them at a time.

        Raises `OSError` where the file ends before.
        """
        for head, part in self.parts:
            yield head
            file.seek(part.start)
            yield from _read_chunks(file, part.length, size)
        yield self.end


def snapshot(path: Path, root: Path, *, limit: int) -> tuple[bytes | FileSlice, os.stat_result]:
    """Return a file's bytes, or the slice that is all of it beyond `limit`, and its status.

    The status is of the very file that was read. Raises `OSError`.
    """
    with _opened(root, path) as file:
        status = os.fstat(file.fileno())
        if status.st_size > limit:
            return FileSlice(path, 0, status.st_size, root), status
        return file.read(), status


def _read_chunks(file: BinaryIO, length: int, size: int) -> Iterator[bytes]:
    while length:
        data = file.read(min(size, length))
        if not data:
            raise OSError(f"a file ended {length} bytes before its planned end")
        length -= len(data)
        yield data


def _opened(root: Path, path: Path) -> BinaryIO:
    *folders, last = path.relative_to(root).parts
    folder = os.open(root, _FOLDER)
    try:
        for part in folders:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        handle = os.open(last, _FILE, dir_fd=folder)
    finally:
        with suppress(OSError):
            os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is no regular file")
    return os.fdopen(handle, "rb")
