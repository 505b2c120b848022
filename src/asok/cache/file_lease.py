"""The right to compute one entry of the file store: a locked file beside it.

The kernel frees the lock when its holder dies, however that happens, so a killed computation
is replaced at once and no time has to be guessed. A purge takes away the file's name: the
holder sees that its file has no name any more, and what it computed is not stored.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from asok.cache.document import remove
from asok.cache.folder_lock import make_folder
from asok.errors import CacheUnavailable

__all__ = ["FileLease"]


class FileLease:
    """A held lease; made by `attempt`."""

    def __init__(
        self, path: str, handle: int, writing: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._path = path
        self._handle = handle
        self._writing = writing

    @classmethod
    def attempt(
        cls, path: str, writing: Callable[[], AbstractContextManager[None]]
    ) -> FileLease | None:
        """Take the lease whose file is `path`, or return None at once. Raises `OSError`.

        `writing` gives the lock under which names in that folder are removed.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            handle = os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_folder(os.path.dirname(path))
            handle = os.open(path, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if isinstance(error, BlockingIOError):
                return None
            raise
        made = cls(path, handle, writing)
        if made.held():
            return made
        # Between `open` and `flock` the name was removed: nobody else would meet this lock.
        made.release()
        return None

    def held(self) -> bool:
        """Whether nobody set or purged the entry since."""
        return self._handle >= 0 and os.fstat(self._handle).st_nlink > 0

    def release(self) -> None:
        """Give it back. After the entry was stored there is no name left to remove."""
        handle, self._handle = self._handle, -1
        if handle < 0:
            return
        try:
            if os.fstat(handle).st_nlink:
                # A disk that refuses keeps the name, without a lock: harmless.
                with suppress(OSError, CacheUnavailable), self._writing():
                    if os.fstat(handle).st_nlink:
                        remove(self._path)
        finally:
            os.close(handle)
