"""Three numbers that every worker of a machine shares, in a file mapped into memory.

`version` changes with every write, so that a worker notices others' writes by reading eight
bytes of its own memory: no system call on a hit. `pages` and `size` count the pages made on
demand. They are changed under the overlay's lock only.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

__all__ = ["Counters"]

_BYTES = 24


class Counters:
    """The numbers in the file `path`; on a read-only disk, numbers of this process alone."""

    def __init__(self, path: Path) -> None:
        self._map = _open(path)
        # One aligned store of eight bytes: a reader sees the old or the new number.
        self._numbers = memoryview(self._map).cast("Q")

    @property
    def version(self) -> int:
        """Changes with every write."""
        return self._numbers[0]

    @property
    def pages(self) -> int:
        """How many pages made on demand are stored."""
        return self._numbers[1]

    @property
    def size(self) -> int:
        """How many bytes of the disk they take."""
        return self._numbers[2]

    def bump(self) -> None:
        """Tell every worker that something was written."""
        self._numbers[0] = (self._numbers[0] + 1) & 0xFFFFFFFFFFFFFFFF

    def account(self, pages: int, size: int) -> None:
        """Set `pages` and `size`, at least 0."""
        self._numbers[1] = max(pages, 0)
        self._numbers[2] = max(size, 0)


def _open(path: Path) -> mmap.mmap:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        # Nobody can write here, so there is nothing to notice.
        return mmap.mmap(-1, _BYTES)
    try:
        if os.fstat(handle).st_size < _BYTES:
            os.ftruncate(handle, _BYTES)
        return mmap.mmap(handle, _BYTES)
    except OSError:
        return mmap.mmap(-1, _BYTES)
    finally:
        os.close(handle)
