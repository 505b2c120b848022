"""What stands for the code that makes a site's pages: a digest of everything it is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["fingerprint"]

#: Raise it when Asok itself renders the same source differently.
_GENERATION = "1"
_SOURCES = frozenset({".py", ".html", ".asok", ".md", ".json", ".toml", ".yaml", ".yml", ".txt"})


def fingerprint(source: Path, *further: str) -> str:
    """Return 32 hex digits for the text files below `source` and for `further` texts.

    The same tree gives the same digest on every machine: names and contents count, times
    do not. Raises `OSError` for a file that can't be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for text in (_GENERATION, *further):
        _add(digest, text.encode())
    for path in _files(source):
        _add(digest, path.relative_to(source).as_posix().encode())
        _add(digest, path.read_bytes())
    return digest.hexdigest()


def _files(source: Path) -> Iterable[Path]:
    return sorted(
        path
        for path in source.rglob("*")
        if path.suffix in _SOURCES and "__pycache__" not in path.parts and path.is_file()
    )


def _add(digest: hashlib.blake2b, data: bytes) -> None:
    digest.update(len(data).to_bytes(8))
    digest.update(data)
