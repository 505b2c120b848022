"""The bound on pages made on demand: how many, how many bytes, and which leave first."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from asok import atomic
from asok.pages.counters import Counters
from asok.pages.note import Note
from asok.pages.stored import Record

__all__ = ["Quota", "disk_size"]

_BLOCK: Final = 4096
#: After an eviction this much of the bound is in use, so that it is seldom needed.
_LOW_WATER: Final = 0.9
#: Notes that say nothing any more are kept this long (seconds): longer than any render.
_NOTE_AGE: Final = 86_400.0


def disk_size(size: int) -> int:
    """Return what a file of `size` bytes takes of the disk."""
    return -(-size // _BLOCK) * _BLOCK


@dataclass
class _Files:
    """The files of one page."""

    record: os.stat_result | None = None
    bodies: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def size(self) -> int:
        own = disk_size(self.record.st_size) if self.record else 0
        return own + sum(map(disk_size, self.bodies.values()))


class Quota:
    """Keeps `unlisted/` within `max_pages` and `max_bytes`; the least recently used leave.

    The use of a page is the access time of its record, see `FileOverlay.touch`. Every method is
    called under the overlay's lock. Between two evictions the shared counters may be wrong
    by what killed writers left; each eviction counts anew and removes their leftovers.
    """

    def __init__(self, folder: Path, counters: Counters, *, max_pages: int, max_bytes: int) -> None:
        self.max_pages = max_pages
        self.max_bytes = max_bytes
        self._folder = folder
        self._counters = counters

    def account(self, pages: int, size: int, *, keep: str = "") -> None:
        """Add to the counters, and evict where it is too much; the page `keep` stays."""
        counters = self._counters
        counters.account(counters.pages + pages, counters.size + size)
        if counters.pages > self.max_pages or counters.size > self.max_bytes:
            self.evict(keep)

    def evict(self, keep: str = "") -> None:
        """Count what is there, remove leftovers, and the pages unused for longest."""
        folder = self._folder / "unlisted"
        pages = self._count(folder)
        count, size = len(pages), sum(files.size for files in pages.values())
        if count > self.max_pages or size > self.max_bytes:
            by_use = sorted(pages.items(), key=lambda item: _used(item[1]))
            for name, files in by_use:
                if count <= self.max_pages * _LOW_WATER and size <= self.max_bytes * _LOW_WATER:
                    break
                if name == keep:
                    continue
                # The record first: a body without a record is a leftover, a record without
                # a body is a miss that looks like damage.
                _unlink(folder / f"{name}.json")
                for body in files.bodies:
                    _unlink(folder / body)
                # Its failures go with it, or made-up addresses would leave notes for ever. A
                # render under way sees another generation, and is done again.
                _unlink(self._folder / "notes" / f"{name}.json")
                count, size = count - 1, size - files.size
        self._counters.account(count, size)
        self._drop_old_notes()

    def _count(self, folder: Path) -> dict[str, _Files]:
        pages: dict[str, _Files] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(atomic.TEMPORARY_PREFIX):
                    _unlink(folder / entry.name)
                    continue
                name = ".".join(entry.name.split(".")[:2])
                files = pages.setdefault(name, _Files())
                with suppress(FileNotFoundError):
                    found = entry.stat()
                    if entry.name == f"{name}.json":
                        files.record = found
                    else:
                        files.bodies[entry.name] = found.st_size
        for name, files in list(pages.items()):
            keep = None
            if files.record is not None and len(files.bodies) > 1:
                with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                    data = (folder / f"{name}.json").read_bytes()
                    keep = msgspec.json.decode(data, type=Record).body
            if files.record is None or len(files.bodies) > 1:
                for body in [body for body in files.bodies if body != keep]:
                    _unlink(folder / body)
                    del files.bodies[body]
            if files.record is None:
                del pages[name]
        return pages

    def _drop_old_notes(self) -> None:
        limit = time.time() - _NOTE_AGE
        with os.scandir(self._folder / "notes") as entries:
            for entry in entries:
                with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                    if entry.stat().st_mtime > limit:
                        continue
                    data = Path(entry.path).read_bytes()
                    if msgspec.json.decode(data, type=Note).quiet:
                        os.unlink(entry.path)


def _used(files: _Files) -> int:
    return files.record.st_atime_ns if files.record else 0


def _unlink(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
