"""Keeping a folder of entries within its bounds, in the background, a part at a time.

An entry's file has the time of its end as modification time, so a sweep is one listing and
one `stat` a file, without opening any. The more files a sweep saw, the more writes may pass
until the next, so the cost a write stays the same from a hundred entries to a million.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from contextlib import suppress
from typing import Final, NamedTuple

from asok import atomic
from asok.cache import clock
from asok.cache.api import Usage

__all__ = ["FOLDERS", "Sweeper"]

log = logging.getLogger("asok.cache")

#: How many folders the entries are spread over.
FOLDERS: Final = 16
#: Files that a sweep looks at, about; it takes as many folders as hold them.
_PART: Final = 400
#: Writes between two sweeps, at least.
_PAUSE: Final = 128
#: Seconds after which a leftover of a killed writer, or of a killed computation, goes.
_TEMPORARY_AGE: Final = 3600.0
_LEASE_AGE: Final = 86400.0


class _Found(NamedTuple):
    """A file that a sweep saw; the oldest sorts first."""

    changed: float
    path: str
    status: os.stat_result


class Sweeper:
    """Removes expired entries, leftovers, and the oldest of what is too much.

    What is too much is known once every folder was seen, from sums kept for each of them.
    """

    def __init__(self, folder: str, *, max_entries: int, max_bytes: int) -> None:
        self.folder = folder
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self._sums: dict[str, tuple[int, int]] = {}
        self._writes = 0
        self._due = _PAUSE
        self._next = random.randrange(FOLDERS)
        self._thread: threading.Thread | None = None

    def folders(self) -> list[str]:
        """The folders of entries that exist."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return [f"{self.folder}/{name}" for name in sorted(names) if _is_folder_name(name)]

    def usage(self) -> Usage:
        """How many entries there are, and their bytes. Raises `OSError`."""
        now, sizes = clock.wall(), list[int]()
        for folder in self.folders():
            with os.scandir(folder) as listing:
                for found in listing:
                    with suppress(FileNotFoundError):
                        status = found.stat(follow_symlinks=False)
                        if found.name.endswith(".json") and status.st_mtime > now:
                            sizes.append(status.st_size)
        return Usage(len(sizes), sum(sizes))

    def wrote(self) -> None:
        """Count a write, and start a sweep where it is time."""
        # Not exact with several threads, and needs not be.
        self._writes += 1
        if self._writes >= self._due and (self._thread is None or not self._thread.is_alive()):
            self._writes = 0
            self._thread = threading.Thread(
                target=self._sweep_part, name="asok-cache-sweep", daemon=True
            )
            self._thread.start()

    def wait(self) -> None:
        """Wait for the sweep that is going on."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join()

    def _sweep_part(self) -> None:
        seen = 0
        try:
            for _ in range(FOLDERS):
                self._next = (self._next + 1) % FOLDERS
                seen += self.sweep(f"{self.folder}/{self._next:x}")
                if seen >= _PART:
                    break
        except OSError as error:
            log.warning("the cache in %s could not be swept: %s", self.folder, error)
        self._due = max(_PAUSE, seen * 2 // 3)

    def sweep_all(self) -> None:
        """Sweep every folder, now: once to learn the sums, once to act on them."""
        for _ in range(2):
            for folder in self.folders():
                self.sweep(folder)

    def sweep(self, folder: str) -> int:
        """Sweep one folder and return how many files it held. Raises `OSError`."""
        try:
            listing = os.scandir(folder)
        except FileNotFoundError:
            self._sums.pop(folder, None)
            return 0
        now = clock.wall()
        seen = 0
        live: list[_Found] = []
        with listing:
            for found in listing:
                seen += 1
                try:
                    status = found.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if _has_ended(found.name, status, now):
                    _remove_same(folder, found.path, status)
                elif found.name.endswith(".json"):
                    live.append(_Found(status.st_ctime, found.path, status))
        self._trim(folder, live)
        return seen

    def _trim(self, folder: str, live: list[_Found]) -> None:
        """Remove the oldest of a folder, as much of it as of the whole is too much."""
        count, size = len(live), sum(found.status.st_size for found in live)
        self._sums[folder] = count, size
        entries = sum(count for count, _ in self._sums.values())
        total = sum(size for _, size in self._sums.values())
        if entries <= self.max_entries and total <= self.max_bytes:
            return
        keep = min(1.0, self.max_entries / max(1, entries))
        share = min(1.0, self.max_bytes / max(1, total))
        most, most_bytes = int(count * keep), int(size * share)
        for found in sorted(live):
            if count <= most and size <= most_bytes:
                break
            _remove_same(folder, found.path, found.status)
            count -= 1
            size -= found.status.st_size
        self._sums[folder] = count, size


def _has_ended(name: str, status: os.stat_result, now: float) -> bool:
    """Whether a file is an expired entry or a leftover."""
    if name.startswith(atomic.TEMPORARY_PREFIX):
        return now - status.st_mtime > _TEMPORARY_AGE
    if name.endswith(".lease"):
        return now - status.st_mtime > _LEASE_AGE
    return name.endswith(".json") and status.st_mtime <= now


def _remove_same(folder: str, path: str, seen: os.stat_result) -> None:
    """Remove a file unless it was written again since it was seen."""
    with atomic.FileLock(f"{folder}/.lock").attempt() as held:
        if not held:
            return  # the next sweep is soon enough
        try:
            now = os.stat(path, follow_symlinks=False)
            if (now.st_ino, now.st_ctime_ns) == (seen.st_ino, seen.st_ctime_ns):
                os.unlink(path)
        except FileNotFoundError:
            return


def _is_folder_name(name: str) -> bool:
    return len(name) == 1 and name in "0123456789abcdef"
