"""Pages made after the build, and what is known about them, as files that are whole or absent.

```
overlay/<fingerprint>/
    listed/    about.5f2c….json  about.5f2c….<digest>.html     regenerated pages of the build
    unlisted/                                                  pages made on demand: bounded
    notes/     about.5f2c….json                                invalidations and failures
    locks/     leases: who renders what
    counters   version, pages, size                            see counters.py
    lock       held for the moment of a write
```

A body is named by its digest and written first; the record that names it is renamed last.
A reader therefore finds the old record with the old body, or the new with the new; where the
old body was removed between its two reads, it reads the record again. Nothing is synced:
what a power cut tears does not fit its digest, and is a miss.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from asok import atomic
from asok.pages.counters import Counters
from asok.pages.names import body_name, page_name
from asok.pages.note import Note
from asok.pages.quota import Quota, disk_size
from asok.pages.stored import Record, StoredPage, decode, encode

__all__ = ["Overlay", "Stamp"]

#: Lease files: enough that two pages seldom share one, few enough to stay.
_LEASES: Final = 4096
#: How often a reader looks again because writers came in between.
_ATTEMPTS: Final = 100
_POLL: Final = 0.02

#: What tells one stored state of a page from another, without reading it.
Stamp = tuple[tuple[int, int, int] | None, ...]


class Overlay:
    """The pages of one fingerprint in `folder`. Writing methods raise `OSError`."""

    def __init__(self, folder: Path, *, max_pages: int, max_bytes: int) -> None:
        self.folder = folder
        with suppress(OSError):
            for name in ("listed", "unlisted", "notes", "locks"):
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listed = os.path.join(folder, "listed", "")
        self._unlisted = os.path.join(folder, "unlisted", "")
        self._notes = os.path.join(folder, "notes", "")
        self._lock = atomic.FileLock(folder / "lock")
        self.counters = Counters(folder / "counters")
        self._quota = Quota(folder, self.counters, max_pages=max_pages, max_bytes=max_bytes)

    def stamp(self, path: str) -> Stamp:
        """Return what changes whenever the page or the note of `path` is written."""
        name = page_name(path) + ".json"
        return (_stat(self._listed + name), _stat(self._unlisted + name), _stat(self._notes + name))

    def read(self, path: str) -> StoredPage | None:
        """Return the page of `path`; damaged, foreign and half-removed files are a miss.

        A writer counts the shared version up before it removes anything, so a page that was
        not found while the version stayed the same was not there.
        """
        for _ in range(_ATTEMPTS):
            version = self.counters.version
            found = self._look(path)
            if found is not None or self.counters.version == version:
                return found
        return None

    def _look(self, path: str) -> StoredPage | None:
        name = page_name(path)
        for folder in (self._listed, self._unlisted):
            data = _read(folder + name + ".json")
            if data is None:
                continue
            try:
                record = msgspec.json.decode(data, type=Record)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if record.path != path or os.sep in record.body:
                continue
            body = _read(folder + record.body) if record.body else None
            if body is None:
                continue
            with suppress(ValueError):
                return decode(record, body)
        return None

    def note(self, path: str) -> Note:
        """Return the note of `path`; the empty one where there is none that can be read."""
        data = _read(self._notes + page_name(path) + ".json")
        if data is not None:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                note = msgspec.json.decode(data, type=Note)
                if note.path == path:
                    return note
        return Note(path=path)

    def put(self, page: StoredPage, *, generation: int | None) -> bool:
        """Store `page`, or return False where the page's generation is another by now."""
        record, body = encode(page)
        name = page_name(page.path)
        record = msgspec.structs.replace(
            record, body=body_name(name, record.digest, page.content_type)
        )
        data = msgspec.json.encode(record)
        folder, other = (
            (self._listed, self._unlisted) if page.listed else (self._unlisted, self._listed)
        )
        with self._lock.hold():
            note = self.note(page.path)
            # Compared and stored under the one lock that an invalidation takes too.
            if generation is not None and note.generation != generation:
                return False
            old = _record(folder + name + ".json")
            before = _size(folder, name, old)
            atomic.write(folder + record.body, body)
            atomic.write(folder + name + ".json", data)
            self.counters.bump()  # before anything is removed, see `read`
            if old is not None and old.body != record.body:
                _unlink(folder + old.body)
            freed = self._remove(other, name)
            if not note.quiet:
                self._write_note(note.after_success(page.rendered_at))
            if page.listed:
                self._quota.account(-1 if freed else 0, -freed)
            else:
                size = disk_size(len(body)) + disk_size(len(data))
                self._quota.account(int(old is None), size - before, keep=name)
            self.counters.bump()
        return True

    def update(self, path: str, change: Callable[[Note], Note]) -> Note:
        """Replace the note of `path` by `change(note)`, one writer at a time."""
        with self._lock.hold():
            note = change(self.note(path))
            self._write_note(note)
            self.counters.bump()
        return note

    def remove(self, path: str, note: Note | None) -> None:
        """Remove the page of `path`; `note` is what to remember of it."""
        name = page_name(path)
        with self._lock.hold():
            if note is not None:
                self._write_note(note)
            self._remove(self._listed, name)
            freed = self._remove(self._unlisted, name)
            self._quota.account(-1 if freed else 0, -freed)
            self.counters.bump()

    @contextmanager
    def lease(self, path: str, timeout: float) -> Generator[bool]:
        """See `PageStore.lease`. The kernel frees it when its holder is killed."""
        # Two pages that share a lease wait for each other; keyed by the folder's name (the
        # fingerprint of the code), so that a visitor can't choose an address that shares.
        key = hashlib.blake2b(path.encode(), key=self.folder.name.encode()[:64]).digest()
        bucket = int.from_bytes(key[:4], "big") % _LEASES
        lock = atomic.FileLock(self.folder / "locks" / f"{bucket:03x}")
        end = time.monotonic() + timeout
        while True:
            with lock.attempt() as held:
                if held or time.monotonic() >= end:
                    yield held
                    return
            time.sleep(_POLL)

    def touch(self, path: str) -> None:
        """Mark a page made on demand as used now: its record's access time, nothing else."""
        record = self._unlisted + page_name(path) + ".json"
        with suppress(OSError):
            os.utime(record, ns=(time.time_ns(), os.stat(record).st_mtime_ns))

    def paths(self) -> Iterator[str]:
        """Every path that a record is stored for."""
        for folder in (self._listed, self._unlisted):
            with suppress(FileNotFoundError), os.scandir(folder) as entries:
                for entry in entries:
                    record = _record(entry.path) if entry.name.endswith(".json") else None
                    if record is not None:
                        yield record.path

    def clear(self) -> None:
        """Remove every page and note. The counters and locks stay: workers have them open."""
        with self._lock.hold():
            for folder in (self._listed, self._unlisted, self._notes):
                with suppress(FileNotFoundError), os.scandir(folder) as entries:
                    for entry in entries:
                        os.unlink(entry.path)
            self.counters.account(0, 0)
            self.counters.bump()

    def _remove(self, folder: str, name: str) -> int:
        """Remove the files of a page; returns how many bytes of the disk that freed."""
        record = _record(folder + name + ".json")
        size = _size(folder, name, record)
        _unlink(folder + name + ".json")
        if record is not None:
            _unlink(folder + record.body)
        return size

    def _write_note(self, note: Note) -> None:
        atomic.write(self._notes + page_name(note.path) + ".json", msgspec.json.encode(note))


def _stat(name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(name: str) -> bytes | None:
    try:
        handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        size = os.fstat(handle).st_size
        data = os.read(handle, size + 1)
    except OSError:
        return None
    finally:
        os.close(handle)
    return data


def _record(name: str) -> Record | None:
    data = _read(name)
    if data is None:
        return None
    try:
        record = msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if os.sep in record.body else record


def _size(folder: str, name: str, record: Record | None) -> int:
    if record is None:
        return 0
    found = (_stat(folder + name + ".json"), _stat(folder + record.body))
    return sum(disk_size(stat[2]) for stat in found if stat is not None)


def _unlink(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)
