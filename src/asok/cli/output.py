"""A copy of the site that is built and ready to be moved to a server (`asok build -o`)."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from asok.errors import CommandError

__all__ = ["staged"]

#: What a server has no use for, and what is this machine's alone.
_LEFT_OUT: Final = frozenset(
    {".asok", ".env", ".git", ".venv", "__pycache__", "node_modules", "tests", "venv"}
)
_MARK: Final = ".asok-output"


@contextmanager
def staged(root: Path, target: Path) -> Generator[Path]:
    """Yield a copy of the site at `root`; it becomes `target` when the block ends well.

    Otherwise `target` is as it was. An earlier output is replaced; anything else that is
    there is refused (`CommandError`).
    """
    target = target.resolve()
    if root == target or root.is_relative_to(target):
        raise CommandError(
            f"{target} holds the site itself.", fix="Choose another folder: asok build -o dist"
        )
    if target.exists() and not (target / _MARK).is_file() and not _is_empty(target):
        raise CommandError(
            f"{target} is not empty, and no earlier output of asok build.",
            fix="Choose another folder, or empty it first.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:

        def left_out(folder: str, names: list[str]) -> list[str]:
            inside = [name for name in names if Path(folder, name).resolve() in (target, staging)]
            return [*inside, *(n for n in names if n in _LEFT_OUT or ".sqlite3" in n)]

        shutil.copytree(root, staging, ignore=left_out, symlinks=True)
        (staging / _MARK).write_text("Made by `asok build -o`; the next one replaces it.\n")
        yield staging
        _replace(staging, target)
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(staging)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _replace(staging: Path, target: Path) -> None:
    if not target.exists():
        os.rename(staging, target)
        return
    old = target.with_name(f".{target.name}-old-{secrets.token_hex(4)}")
    os.rename(target, old)
    os.rename(staging, target)
    shutil.rmtree(old, ignore_errors=True)
