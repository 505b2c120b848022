"""A folder of pages as files: a record, `about.5f2c….json`, and the body that it names.

A body is named by its digest and written first; the record that names it is renamed last.
A reader therefore finds the old record with the old body, or the new with the new. Nothing
is synced: what a power cut tears does not fit its digest, and is a miss.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from asok import atomic
from asok.pages.names import page_name
from asok.pages.quota import disk_size
from asok.pages.stored import Record, StoredPage, decode

__all__ = ["PageFolder", "Stat", "read_file", "stat_file"]

#: What tells one state of a file from another: inode, time of change, size.
Stat = tuple[int, int, int] | None


class PageFolder:
    """The pages in `folder`; names are those of `names.page_name`. Writing raises `OSError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.join(folder, "")

    def stat(self, name: str) -> Stat:
        """Return what changes whenever the page of `name` is written."""
        return stat_file(f"{self._folder}{name}.json")

    def read(self, key: str) -> StoredPage | None:
        """Return the page of `key`; damaged, foreign and half-removed files are a miss."""
        record = self.record(page_name(key))
        if record is None or record.path != key or not record.body:
            return None
        body = read_file(self._folder + record.body)
        if body is not None:
            with suppress(ValueError):
                return decode(record, body)
        return None

    def record(self, name: str) -> Record | None:
        """Return the record of `name`, None where there is none that can be read."""
        return _record(f"{self._folder}{name}.json")

    def write(self, name: str, record: bytes, body_name: str, body: bytes) -> None:
        """Write a page's body, then the encoded record that names it."""
        atomic.write(self._folder + body_name, body)
        atomic.write(f"{self._folder}{name}.json", record)

    def size(self, name: str, record: Record | None) -> int:
        """Return how many bytes of the disk the page of `name` takes."""
        if record is None:
            return 0
        found = (self.stat(name), stat_file(self._folder + record.body))
        return sum(disk_size(stat[2]) for stat in found if stat is not None)

    def remove(self, name: str) -> int:
        """Remove the files of a page; returns how many bytes of the disk that freed."""
        record = self.record(name)
        size = self.size(name, record)
        self.unlink(f"{name}.json")
        if record is not None:
            self.unlink(record.body)
        return size

    def unlink(self, file: str) -> None:
        """Remove one file, where it can be removed."""
        with suppress(OSError):
            os.unlink(self._folder + file)

    def touch(self, name: str, at: int) -> None:
        """Set the access time of the record of `name`, in nanoseconds, and nothing else."""
        record = f"{self._folder}{name}.json"
        with suppress(OSError):
            os.utime(record, ns=(at, os.stat(record).st_mtime_ns))

    def records(self) -> Iterator[Record]:
        """Every record that can be read."""
        with suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                record = _record(entry.path) if entry.name.endswith(".json") else None
                if record is not None:
                    yield record


def _record(file: str) -> Record | None:
    data = read_file(file)
    if data is None:
        return None
    try:
        record = msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if os.sep in record.body else record


def stat_file(name: str) -> Stat:
    """Return the state of a file, None where there is none."""
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_file(name: str) -> bytes | None:
    """Return a file's content, None where it can't be read."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        size = os.fstat(handle).st_size
        return os.read(handle, size + 1)
    except OSError:
        return None
    finally:
        os.close(handle)
