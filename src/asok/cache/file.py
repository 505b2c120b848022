"""The store in a folder: one JSON file an entry, shared by the processes of one machine.

    <folder>/<1 hex>/<31 hex>.json     an entry, named by the BLAKE2 digest of its key
    <folder>/<1 hex>/<31 hex>.lease    exists while somebody computes the entry
    <folder>/<1 hex>/.lock             held (flock) by whoever writes in that folder

Sixteen folders and not more: ext4 puts each new one into another part of the disk, and a file in
a part that nobody used lately takes twice as long to make.

Readers take no lock. Writers of a folder exclude each other, so `add`, `incr`, a lease and a
purge are exact. A file that is truncated, garbage, foreign or another key's is a miss, and
the next write heals it. Folders are 0700, files 0600. Names stay below 40 bytes: Linux keeps
those inside its record of a name, so that one of 100,000 is found 6 % faster.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from hashlib import blake2b
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from asok import atomic
from asok.cache.api import Entry, Lease, Tags, Usage
from asok.cache.counter import counter_sum, not_a_counter
from asok.cache.document import read_document, remove, write_document
from asok.cache.file_lease import FileLease
from asok.cache.folder_lock import FolderLock
from asok.cache.record import Record, shown
from asok.cache.sweep import Sweeper
from asok.errors import CacheUnavailable

__all__ = ["FileStore"]

P = ParamSpec("P")
T = TypeVar("T")

#: Paths kept by key, and how long such a key may be: a look-up instead of a digest.
_REMEMBERED: Final = 2048
_REMEMBERED_LENGTH: Final = 200


def _guarded(
    method: Callable[Concatenate[FileStore, P], T],
) -> Callable[Concatenate[FileStore, P], T]:
    """Turn an `OSError` (disk full, denied, I/O error) into `CacheUnavailable`."""

    @wraps(method)
    def call(self: FileStore, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except OSError as error:
            raise CacheUnavailable(f"the cache in {self.folder}: {error}.") from error

    return call


class FileStore:
    """Entries in files under `folder`.

    `max_entries` and `max_bytes` are held by a sweeper in the background, about: the oldest
    of a folder go first. A value larger than an eighth of `max_bytes` is not stored.
    """

    blocking = True

    def __init__(
        self,
        folder: Path | str,
        *,
        max_entries: int = 100_000,
        max_bytes: int = 1024 * 1024 * 1024,
    ) -> None:
        self.folder = os.path.abspath(folder)
        self.max_bytes = max_bytes
        self._paths: dict[str, str] = {}
        self._sweeper = Sweeper(self.folder, max_entries=max_entries, max_bytes=max_bytes)

    def path(self, key: str) -> str:
        """The file of a key."""
        known = self._paths.get(key)
        if known is not None:
            return known
        name = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        path = f"{self.folder}/{name[0]}/{name[1:]}.json"
        if len(key) <= _REMEMBERED_LENGTH:
            if len(self._paths) >= _REMEMBERED:
                self._paths.clear()
            self._paths[key] = path
        return path

    def get(self, key: str) -> Entry | None:
        try:
            record = read_document(self._paths.get(key) or self.path(key))
        except OSError as error:
            raise CacheUnavailable(f"the cache in {self.folder}: {error}.") from error
        if record is None or (record.key != key and record.key != shown(key)):
            return None
        return record.entry()

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        found = ((key, self.get(key)) for key in keys)
        return {key: entry for key, entry in found if entry is not None}

    def _live(self, path: str, key: str) -> Record | None:
        """The record of a key that is within its time to live."""
        record = read_document(path)
        if record is None or record.key != shown(key):
            return None
        entry = record.entry()
        return record if entry is not None and entry.fresh else None

    def _write(self, path: str, record: Record) -> bool:
        """Put a record into its file; the lock is held. On an error the old one stays."""
        data = record.encode()
        if len(data) > self.max_bytes // 8:
            return False
        write_document(path, data, end=record.end)
        self._sweeper.wrote()
        return True

    @_guarded
    def set(
        self,
        key: str,
        value: Any,
        *,
        ttl: float | None,
        stale: float = 0.0,
        tags: Tags = (),
        cost: float = 0.0,
        lease: Lease | None = None,
    ) -> bool:
        return self._replace(key, Record.make(key, value, ttl, stale, tags, cost), lease)

    def _replace(self, key: str, record: Record, lease: Lease | None = None) -> bool:
        """Store a record and end the key's lease, unless it is too large."""
        path = self.path(key)
        with _writing(path):
            if lease is not None and not cast("FileLease", lease).held():
                return False
            remove(_lease_path(path))
            if self._write(path, record):
                return True
            remove(path)
        return False

    @_guarded
    def set_many(self, values: Mapping[str, Any], *, ttl: float | None, tags: Tags = ()) -> int:
        made = {key: Record.make(key, value, ttl, 0.0, tags) for key, value in values.items()}
        return sum([self._replace(key, record) for key, record in made.items()])

    @_guarded
    def add(self, key: str, value: Any, *, ttl: float | None, tags: Tags = ()) -> bool:
        record = Record.make(key, value, ttl, tags=tags)
        path = self.path(key)
        with _writing(path):
            return self._live(path, key) is None and self._write(path, record)

    @_guarded
    def incr(self, key: str, delta: int, *, ttl: float | None) -> int:
        path = self.path(key)
        with _writing(path):
            record = self._live(path, key)
            if record is None:
                record = Record.make(key, counter_sum(key, 0, delta), ttl)
            elif record.tags or record.stale:
                raise not_a_counter(key, "a value with tags or a time of grace")
            else:
                record.value = counter_sum(key, record.value, delta)
            self._write(path, record)
        return record.value

    @_guarded
    def touch(self, key: str, ttl: float | None) -> bool:
        path = self.path(key)
        with _writing(path):
            old = self._live(path, key)
            if old is None:
                return False
            return self._write(
                path, Record.make(key, old.value, ttl, old.stale, old.tags, old.cost)
            )

    @_guarded
    def delete(self, key: str) -> bool:
        path = self.path(key)
        with _writing(path):
            was_live = self._live(path, key) is not None
            remove(_lease_path(path))
            remove(path)
        return was_live

    def delete_many(self, keys: Sequence[str]) -> int:
        return sum([self.delete(key) for key in keys])

    @_guarded
    def clear(self) -> None:
        for folder in self._sweeper.folders():
            with FolderLock(folder):
                for name in os.listdir(folder):
                    if name.endswith((".json", ".lease")) or name.startswith(
                        atomic.TEMPORARY_PREFIX
                    ):
                        remove(f"{folder}/{name}")

    @_guarded
    def lease(self, key: str) -> Lease | None:
        path = self.path(key)
        return FileLease.attempt(_lease_path(path), lambda: _writing(path))

    @_guarded
    def usage(self) -> Usage:
        return self._sweeper.usage()

    def close(self) -> None:
        self._sweeper.wait()


def _writing(path: str) -> FolderLock:
    return FolderLock(path[: path.rindex("/")])


def _lease_path(path: str) -> str:
    return path[:-5] + ".lease"  # of `.json`
