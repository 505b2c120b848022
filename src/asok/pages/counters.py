"""Numbers that the workers of a machine share, in files mapped into memory.

A worker notices others' writes by reading eight bytes of its own memory: no system call on
a hit. They are changed under the overlay's lock only.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

__all__ = ["Counters", "Versions"]


class Versions:
    """What changes with every write in a folder, for every fingerprint, in the file `path`.

    `version` changes with each write, `tags` with each invalidation of a tag, and `moment`
    is the latest at which a render began, in seconds. On a read-only disk these are numbers
    of this process alone.
    """

    def __init__(self, path: Path) -> None:
        self._map = _open(path, 24)
        # One aligned store of eight bytes: a reader sees the old or the new number.
        self._numbers = memoryview(self._map).cast("Q")
        self._moments = memoryview(self._map).cast("d")

    def read(self) -> int:
        """Return the version."""
        return self._numbers[0]

    @property
    def tags(self) -> int:
        """Changes with every invalidation of a tag."""
        return self._numbers[1]

    @property
    def moment(self) -> float:
        """The latest moment at which a render began."""
        return self._moments[2]

    def begin(self, moment: float) -> None:
        """Remember that a render began; without a lock, for it only matters roughly."""
        if moment > self._moments[2]:
            self._moments[2] = moment

    def bump(self, *, tags: bool = False) -> None:
        """Tell every worker that something was written."""
        if tags:
            self._numbers[1] = (self._numbers[1] + 1) & 0xFFFFFFFFFFFFFFFF
        self._numbers[0] = (self._numbers[0] + 1) & 0xFFFFFFFFFFFFFFFF


class Counters:
    """How many pages made on demand are stored, and how many bytes they take: in `path`."""

    def __init__(self, path: Path) -> None:
        self._map = _open(path, 16)
        self._numbers = memoryview(self._map).cast("Q")

    @property
    def pages(self) -> int:
        """How many pages made on demand are stored."""
        return self._numbers[0]

    @property
    def size(self) -> int:
        """How many bytes of the disk they take."""
        return self._numbers[1]

    def account(self, pages: int, size: int) -> None:
        """Set `pages` and `size`, at least 0."""
        self._numbers[0] = max(pages, 0)
        self._numbers[1] = max(size, 0)


def _open(path: Path, size: int) -> mmap.mmap:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        # Nobody can write here, so there is nothing to notice.
        return mmap.mmap(-1, size)
    try:
        if os.fstat(handle).st_size < size:
            os.ftruncate(handle, size)
        return mmap.mmap(handle, size)
    except OSError:
        return mmap.mmap(-1, size)
    finally:
        os.close(handle)
