"""Compiled templates on disk, which only their owner can have written.

Loading one executes it, so a file counts only where this user or root owns it and nobody
else may write it; a damaged file is a miss. The key holds everything that changes what a
template compiles to: Jinja's own leaves its settings out (pallets/jinja#1738).
"""

from __future__ import annotations

import hashlib
import logging
import marshal
import os
import stat
import sys
from pathlib import Path
from types import CodeType

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from asok import atomic
from asok.errors import ConfigurationError
from asok.jinja.environment import SiteEnvironment
from asok.jinja.extension import VERSION

__all__ = ["Bytecode"]

_MAGIC = b"asok bytecode\n"
_log = logging.getLogger("asok.templates")


class Bytecode(BytecodeCache):
    """A folder of compiled templates, made with mode 0700.

    Raises `ConfigurationError` for a folder that somebody else owns or may write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            found = os.stat(folder)
        except OSError as error:
            raise ConfigurationError(
                f"the folder for compiled templates can't be used: {error}.",
                fix="Make it writable, or pass bytecode=None.",
            ) from error
        if not stat.S_ISDIR(found.st_mode) or not _is_ours(found):
            raise ConfigurationError(
                f"{folder} holds code that is executed, but its owner is user {found.st_uid} "
                f"and its mode {stat.S_IMODE(found.st_mode):o}: others may have written there.",
                fix=f"Run: rm -r {folder}",
            )
        self._told = False
        # Imported here: it takes 13 ms, and `import asok` does not need it.
        from importlib.metadata import version

        self._versions = (version("jinja2"), sys.version, str(VERSION))

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        """Return the bucket of a template, with its code where that is on the disk."""
        assert isinstance(environment, SiteEnvironment)
        parts = (*self._versions, environment.compiled_with(name, source), source)
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        bucket = Bucket(environment, self.get_cache_key(name, filename), digest)
        self.load_bytecode(bucket)
        return bucket

    def _path(self, bucket: Bucket) -> Path:
        return self.folder / f"{bucket.key}.bin"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code if the file is whole, ours, and of the same key."""
        try:
            with open(self._path(bucket), "rb", opener=_open_no_link) as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
                    return
                data = file.read()
        except OSError:
            return
        head = _MAGIC + bytes.fromhex(bucket.checksum)
        payload = data[len(head) + 32 :]
        if data[: len(head)] != head or hashlib.sha256(payload).digest() != data[len(head) :][:32]:
            return
        code = marshal.loads(payload)  # noqa: S302 (ours and whole: see above)
        if isinstance(code, CodeType):
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the bucket's code. A disk that takes no files costs compiling, not the page."""
        payload = marshal.dumps(bucket.code)
        head = _MAGIC + bytes.fromhex(bucket.checksum) + hashlib.sha256(payload).digest()
        try:
            atomic.write(self._path(bucket), head + payload)
        except OSError as error:
            if not self._told:
                self._told = True
                _log.warning("compiled templates can't be kept in %s: %s", self.folder, error)

    def clear(self) -> None:
        """Remove every compiled template."""
        for path in self.folder.glob("*.bin"):
            path.unlink(missing_ok=True)


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & 0o022
