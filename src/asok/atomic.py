"""Files that are whole or absent: write to a unique temporary name, then rename.

POSIX `rename` replaces its target in one step, so a reader sees the old file or the new
one, never a part. `FileLock` is an advisory `flock`, which the kernel frees when its
holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["TEMPORARY_PREFIX", "FileLock", "replace", "sync_folder", "write"]

#: Names that begin with this are leftovers of a killed writer and may be removed.
TEMPORARY_PREFIX = ".tmp-"


def write(path: Path | str, data: bytes, *, sync: bool = False, mode: int = 0o600) -> None:
    """Put `data` at `path` in one step, creating missing folders (0700).

    With `sync` the bytes are on the disk before the name points at them; the folder's own
    entry is not, see `sync_folder`. On any error the old file stays and the temporary file
    is removed. Raises `OSError`.
    """
    target = os.fspath(path)
    folder = os.path.dirname(target) or "."
    temporary = os.path.join(folder, TEMPORARY_PREFIX + secrets.token_hex(8))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        handle = os.open(temporary, flags, mode)
    except FileNotFoundError:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle = os.open(temporary, flags, mode)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def replace(link: Path, target: str) -> None:
    """Point the symbolic link `link` at `target` in one step."""
    temporary = link.with_name(TEMPORARY_PREFIX + secrets.token_hex(8))
    os.symlink(target, temporary)
    try:
        os.rename(temporary, link)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def sync_folder(path: Path | str) -> None:
    """Put a folder's own entries on the disk (fsync of the folder)."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FileLock:
    """An exclusive advisory lock on a file, shared by threads and processes of one machine.

    Every acquisition opens the file anew, so two threads of a process exclude each other as
    two processes do. The file stays: removing a locked file would let two holders in.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = os.fspath(path)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            return os.open(self.path, flags, 0o600)

    @contextmanager
    def attempt(self) -> Generator[bool]:
        """Yield True while the lock is held, or False at once where somebody else holds it."""
        handle = self._open()
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)

    @contextmanager
    def hold(self) -> Generator[None]:
        """Wait for the lock and hold it."""
        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
