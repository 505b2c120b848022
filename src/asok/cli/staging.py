"""A folder that is written whole: into one beside it first, then renamed into its place."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from asok.errors import CommandError

__all__ = ["replaced"]

#: What belongs to the folder and not to what was written into it.
_STAYS: Final = (".git",)


@contextmanager
def replaced(root: Path, target: Path, *, mark: str, command: str) -> Generator[Path]:
    """Yield an empty folder that becomes `target` when the block ends well.

    Otherwise `target` is as it was. An earlier output of `command`, which the file `mark` in
    it tells, is replaced, but for its `.git`; anything else that is there is refused
    (`CommandError`), and so is a folder that holds the site at `root`.
    """
    target = target.resolve()
    if root == target or root.is_relative_to(target):
        raise CommandError(
            f"{target} holds the site itself.", fix=f"Choose another folder: {command} dist"
        )
    if target.is_relative_to(root / "src"):
        raise CommandError(
            f"{target} is among the site's sources.", fix=f"Choose another folder: {command} dist"
        )
    if target.exists() and not (target / mark).is_file() and not _is_empty(target):
        raise CommandError(
            f"{target} is not empty, and no earlier output of {command.partition(' -')[0]}.",
            fix="Choose another folder, or empty it first.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        staging.mkdir()
        (staging / mark).write_text(f"Made by `{command}`; the next one replaces this folder.\n")
        yield staging
        _replace(staging, target)
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(staging)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(name for name in os.listdir(folder) if name not in _STAYS)


def _replace(staging: Path, target: Path) -> None:
    if not target.exists():
        os.rename(staging, target)
        return
    for name in _STAYS:
        with suppress(FileNotFoundError):
            os.rename(target / name, staging / name)
    old = target.with_name(f".{target.name}-old-{secrets.token_hex(4)}")
    os.rename(target, old)
    os.rename(staging, target)
    shutil.rmtree(old, ignore_errors=True)
