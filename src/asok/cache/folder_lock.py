"""The lock under which a folder of entries is written, held for microseconds at a time."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Final

from asok.errors import CacheUnavailable

__all__ = ["FolderLock", "make_folder"]

#: Seconds to wait for another writer of the same folder.
_LIMIT: Final = 5.0
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


def make_folder(folder: str) -> None:
    """Make a folder of entries, and the cache's own around it: nobody else's to read."""
    # `makedirs` gives its mode to the last one only.
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    os.makedirs(folder, mode=0o700, exist_ok=True)


class FolderLock:
    """A `with` block that one thread of one process is in, as `atomic.FileLock.hold`, but with
    an end to the waiting. Written out, as it is a third of a set.

    Raises `CacheUnavailable` after five seconds, `OSError` where the folder can't be made.
    """

    __slots__ = ("_folder", "_handle")

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        path = self._folder + "/.lock"
        try:
            handle = os.open(path, _FLAGS, 0o600)
        except FileNotFoundError:
            make_folder(self._folder)
            handle = os.open(path, _FLAGS, 0o600)
        self._handle = handle
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait(handle, path)
        except BaseException:
            os.close(handle)
            raise

    def _wait(self, handle: int, path: str) -> None:
        end, pause = time.monotonic() + _LIMIT, 0.0005
        try:
            while True:
                time.sleep(pause)
                pause = min(pause * 2, 0.02)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise CacheUnavailable(f"{path} is held by another process.") from None
                else:
                    return
        except BaseException:
            os.close(handle)
            raise

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)
