"""Digests of files for a build: each file read once, and not at all where it is as it was.

A file whose inode, size and times of change are those of the last build has not been written
since (git's index rests on the same). The time of change can't be set by a program, so a
restored modification time hides nothing. Clocks of file systems are coarse: a file that was
changed less than two seconds before it was read is read again next time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from asok import atomic

__all__ = ["Contents", "remembered", "remembering"]

#: Raise it when the same bytes are to give another digest.
_FORMAT: Final = 1
_COARSE: Final = 2_000_000_000


class _Known(msgspec.Struct, array_like=True):
    inode: int
    size: int
    modified: int
    changed: int
    digest: str


class _File(msgspec.Struct):
    format: int
    files: dict[str, _Known]


class Contents:
    """What is known of files, from `memory` on; without it every file is read once.

    A file counts as it was when it was first asked for.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._before: dict[str, _Known] = {}
        self._now: dict[str, _Known] = {}
        self._digests: dict[str, str] = {}
        if memory is not None:
            with suppress(OSError, ValueError):
                found = msgspec.msgpack.decode(memory.read_bytes(), type=_File)
                if found.format == _FORMAT:
                    self._before = found.files

    def digest(self, path: str) -> str:
        """Return 24 hex digits for the bytes of the file at `path`. Raises `OSError`."""
        digest = self._digests.get(path)
        if digest is not None:
            return digest
        stat = os.stat(path)
        known = self._before.get(path)
        if (
            known is None
            or known.changed != stat.st_ctime_ns
            or known.modified != stat.st_mtime_ns
            or known.size != stat.st_size
            or known.inode != stat.st_ino
        ):
            known = self._read(path)
        else:
            self._now[path] = known
        self._digests[path] = known.digest
        return known.digest

    def _read(self, path: str) -> _Known:
        before = time.time_ns() - _COARSE
        with open(path, "rb") as file:
            # Of the open file, and before it is read: a later change is a later time.
            stat = os.fstat(file.fileno())
            digest = hashlib.blake2b(file.read(), digest_size=12).hexdigest()
        known = _Known(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, digest)
        if max(known.modified, known.changed) < before:
            self._now[path] = known
        return known

    def save(self) -> None:
        """Keep what was asked for this time. Raises `OSError`."""
        if self._memory is not None and self._now != self._before:
            atomic.write(self._memory, msgspec.msgpack.encode(_File(_FORMAT, self._now)))


_current: Contents | None = None


@contextmanager
def remembering(memory: Path) -> Generator[None]:
    """Read no file twice inside the block, nor one that `memory` knows from the last one."""
    global _current
    before, _current = _current, Contents(memory)
    try:
        yield
        with suppress(OSError):  # the next build reads every file then
            _current.save()
    finally:
        _current = before


def remembered(path: str) -> str:
    """Return the digest of a file's bytes, inside `remembering` as it was first asked for.

    Raises `OSError`.
    """
    return (Contents() if _current is None else _current).digest(path)
