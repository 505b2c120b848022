"""Writing an export's files: each once, counted, and compressed where that is asked for."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, Final, cast

import brotli  # pyright: ignore[reportMissingTypeStubs]

from asok.errors import CommandError
from asok.pages.encoding import is_compressible

__all__ = ["Writer"]

_WORTH_COMPRESSING: Final = 1000
_MODE: Final = 0o644


class Writer:
    """Writes below `folder`; `owners` says which page each file is of."""

    def __init__(self, folder: Path, *, compressed: bool) -> None:
        self.folder = folder
        self.owners: dict[str, str] = {}
        self.size = 0
        self.count = 0
        self._compressed = compressed
        self._folders: set[Path] = set()

    def write(self, file: str, data: bytes, owner: str, *, media: str = "") -> None:
        """Write `data` to `file`. Raises `CommandError` where another page is in that file."""
        # Many disks and hosts tell no upper from lower case.
        taken = self.owners.setdefault(file.lower(), owner)
        if taken != owner:
            raise CommandError(
                f"{taken} and {owner} would both be the file {file}.",
                fix="Rename one of them, or choose the other layout (--flat).",
            )
        target = self.folder / file
        if target.parent not in self._folders:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise CommandError(
                    f"{owner} would be in a folder that is a file of another page: {file}.",
                    fix="Rename one of them, or choose the other layout (--flat).",
                ) from error
            self._folders.add(target.parent)
        self._put(target, data)
        if self._compressed and len(data) >= _WORTH_COMPRESSING and is_compressible(media):
            packed = cast("Any", brotli).compress(data, quality=11)
            self._put(target.with_name(target.name + ".br"), packed)
            packed = gzip.compress(data, compresslevel=9, mtime=0)
            self._put(target.with_name(target.name + ".gz"), packed)

    def _put(self, target: Path, data: bytes) -> None:
        try:
            target.write_bytes(data)
        except IsADirectoryError as error:
            raise CommandError(
                f"{target.relative_to(self.folder)} would be a file and a folder.",
                fix="Rename one of the two pages.",
            ) from error
        target.chmod(_MODE)
        self.count += 1
        self.size += len(data)
