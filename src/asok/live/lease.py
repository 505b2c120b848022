"""Turns between the workers of one machine: one file, one locked byte for each component.

The kernel frees the lock when its holder dies, however it dies, so a call whose worker was
killed is found out at once. A byte range of one file stands for each key (its hash), so there
is no file per component to make or to clean up, and no two components wait for each other.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Final

__all__ = ["ByteLease", "ByteLocks"]

#: Linux has locks that belong to an open file, not to a process (fcntl(2), "Open file
#: description locks"): two stores of one process exclude each other too, and closing another
#: handle of the file does not give them up. Elsewhere POSIX record locks do.
_OPEN_FILE_LOCKS: Final = sys.platform == "linux" and hasattr(fcntl, "F_OFD_SETLK")


class ByteLocks:
    """Turns by key, held by this process in the file at `path`. Safe for threads and forks."""

    def __init__(self, path: Path, *, open_file_locks: bool = _OPEN_FILE_LOCKS) -> None:
        self.path = path
        self._open_file_locks = open_file_locks
        self._mutex = threading.Lock()
        self._held: set[int] = set()
        self._handle = -1
        self._pid = 0

    def attempt(self, key: bytes) -> ByteLease | None:
        """Return the turn of `key`, or None at once while somebody has it."""
        # 62 bits: a collision makes two components wait for each other, nothing worse.
        offset = int.from_bytes(blake2b(key, digest_size=8).digest(), "big") >> 2
        with self._mutex:
            if self._pid != os.getpid():
                self._open()
            if offset in self._held or not self._lock(offset, fcntl.F_WRLCK):
                return None
            self._held.add(offset)
            return ByteLease(self, offset, self._pid)

    def release(self, offset: int, pid: int) -> None:
        """Free a byte that process `pid` locked; nothing where that was the parent of this one."""
        with self._mutex:
            if pid == os.getpid() == self._pid and offset in self._held:
                self._held.discard(offset)
                self._lock(offset, fcntl.F_UNLCK)

    def close(self) -> None:
        """Give up every lock and close the file; idempotent."""
        with self._mutex:
            self._held.clear()
            if self._handle >= 0:
                os.close(self._handle)
            self._handle, self._pid = -1, 0

    def _open(self) -> None:
        # After a fork the inherited handle is the parent's: locking through it would share
        # the parent's locks. Closing it here gives up nothing of the parent's own.
        if self._handle >= 0:
            os.close(self._handle)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._held.clear()
        self._pid = os.getpid()

    def _lock(self, offset: int, kind: int) -> bool:
        try:
            if self._open_file_locks:
                # struct flock of Linux: type, whence, start, length, pid (0 for these locks).
                wanted = struct.pack("hhqqi4x", kind, os.SEEK_SET, offset, 1, 0)
                fcntl.fcntl(self._handle, fcntl.F_OFD_SETLK, wanted)
            else:
                flags = fcntl.LOCK_UN if kind == fcntl.F_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB
                fcntl.lockf(self._handle, flags, 1, offset)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as POSIX leaves open
            return False
        return True


class ByteLease:
    """A turn; made by `ByteLocks.attempt`."""

    __slots__ = ("_locks", "_offset", "_pid")

    def __init__(self, locks: ByteLocks, offset: int, pid: int) -> None:
        self._locks = locks
        self._offset = offset
        self._pid = pid

    def release(self) -> None:
        """End the turn; idempotent."""
        self._locks.release(self._offset, self._pid)
