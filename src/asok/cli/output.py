"""A copy of the site that is built and ready to be moved to a server (`asok build -o`)."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from asok.cli.staging import replaced

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
    with replaced(root, target, mark=_MARK, command="asok build -o") as staging:
        target = target.resolve()

        def left_out(folder: str, names: list[str]) -> list[str]:
            inside = [name for name in names if Path(folder, name).resolve() in (target, staging)]
            return [*inside, *(n for n in names if n in _LEFT_OUT or ".sqlite3" in n)]

        shutil.copytree(root, staging, ignore=left_out, symlinks=True, dirs_exist_ok=True)
        yield staging
