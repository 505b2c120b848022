"""Reading and writing the file of one entry, whole or not at all.

Up to one page a file is written over in place (see `record` for what that saves): the kernel
copies a page in one go, also when the writer is killed in the middle, and a reader who meets
the copying sees it from the checksum. A shorter document is filled up with spaces, so that one
call does it all. Larger ones are a temporary file and a rename.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Final

from asok import atomic
from asok.cache.record import HEAD, Record

__all__ = ["read_document", "remove", "write_document"]

#: Bytes of a page on every platform.
_PAGE: Final = 4096
#: Read in one call, larger entries take more. Python sets aside so many bytes each time.
_CHUNK: Final = 8192
#: Looks at a file that changes while it is read, before it counts as damaged.
_LOOKS: Final = 4
#: Modification time of entries without an end: the year 2100.
_NEVER: Final = 4_102_444_800.0
_READING: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
#: A link, a folder, a pipe, a socket where an entry should be: somebody else's.
_FOREIGN: Final = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EMLINK})


def write_document(path: str, data: bytes, *, end: float | None) -> None:
    """Put `data` into the file, whose modification time becomes `end` (seconds since 1970).

    The caller keeps other writers away. Raises `OSError`; the old document stays then.
    """
    when = _NEVER if end is None else end
    if len(data) <= _PAGE:
        try:
            if _overwrite(path, data, when):
                return
        except OSError as error:
            if error.errno not in _FOREIGN:
                raise
    atomic.write(path, data)
    os.utime(path, (when, when))


def _overwrite(path: str, data: bytes, when: float) -> bool:
    """Write over a file, or into a new one, which is empty and therefore a miss until then.

    Returns False for a file that is longer than a page.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    handle = os.open(path, flags, 0o600)
    try:
        before = os.fstat(handle).st_size
        if before > _PAGE:
            return False
        whole = data.ljust(before)
        try:
            written = os.write(handle, whole)
        except OSError:
            if not before:
                remove(path)  # new, and the disk has no room for its content
            raise
        if written < len(whole):
            remove(path)
            raise OSError(errno.ENOSPC, "only a part could be written", path)
        os.utime(handle, (when, when))
        return True
    finally:
        os.close(handle)


def read_document(path: str) -> Record | None:
    """Return the record of a file, or None for none: missing, damaged, somebody else's.

    Raises `OSError` where the disk or a permission is to blame.
    """
    for _ in range(_LOOKS):
        try:
            handle = os.open(path, _READING)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _FOREIGN:
                return None
            raise
        try:
            data = os.read(handle, _CHUNK)
            if len(data) == _CHUNK:
                data += _rest(handle)
            return Record.decode(data) if len(data) >= HEAD else None
        except ValueError:
            continue  # being written over right now, or damaged for good
        except IsADirectoryError:
            return None
        finally:
            os.close(handle)
    return None


def _rest(handle: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(handle, _CHUNK):
        parts.append(part)
    return b"".join(parts)


def remove(path: str) -> None:
    """Remove a file that may be gone already. Raises `OSError`."""
    # Mostly it is: asking costs half of the error that tells so.
    if os.access(path, os.F_OK):
        with suppress(FileNotFoundError):
            os.unlink(path)
