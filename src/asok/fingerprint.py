"""What stands for the code that makes a site's pages: a digest of everything it is made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from asok.contents import remembered

__all__ = ["fingerprint"]

#: Raise it when Asok itself renders the same source differently.
_GENERATION = "2"
_PASSED_OVER = frozenset({"__pycache__", "node_modules", "tests", "dist", "build"})
#: What tells folders that were made by a program: a virtual environment, an exported site.
_MADE = ("pyvenv.cfg", ".asok-export")
_SOURCES = frozenset({".py", ".html", ".asok", ".md", ".json", ".toml", ".yaml", ".yml", ".txt"})


def fingerprint(root: Path, *further: str) -> str:
    """Return 32 hex digits for the text files of the site at `root` and for `further` texts.

    The same tree gives the same digest on every machine: names and contents count, times
    do not. Hidden folders, installed packages and tests are passed over. Raises `OSError`
    for a file that can't be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for text in (_GENERATION, *further):
        _add(digest, text.encode())
    top = os.path.join(root, "")
    # Texts and no `Path`s: a site of 10,000 texts would spend a second on those alone.
    for path in sorted(_files(top)):
        _add(digest, path[len(top) :].encode("utf-8", "surrogateescape"))
        digest.update(remembered(path).encode())
    return digest.hexdigest()


def _files(top: str) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _PASSED_OVER
            and not any(os.path.exists(os.path.join(folder, name, mark)) for mark in _MADE)
        ]
        for name in names:
            if os.path.splitext(name)[1] in _SOURCES and not name.startswith("."):
                yield os.path.join(folder, name)


def _add(digest: hashlib.blake2b, data: bytes) -> None:
    digest.update(len(data).to_bytes(8))
    digest.update(data)
