"""What tests of the file store look at and break on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from asok.cache.file import FileStore

__all__ = ["files", "refuse"]


def files(store: FileStore) -> list[Path]:
    return [path for path in Path(store.folder).rglob("*") if path.is_file()]


def refuse(code: int) -> object:
    def call(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return call
