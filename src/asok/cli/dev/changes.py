"""What a changed file asks for: nothing, a swapped stylesheet, a reload, or a new process."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path, PurePath
from typing import Final

__all__ = ["Effect", "effect_of", "page_files", "watched_folders"]


class Effect(IntEnum):
    """In the order of their weight: of several changes the heaviest counts."""

    NOTHING = 0
    STYLE = 1
    RELOAD = 2
    RESTART = 3


_IGNORED_FOLDERS: Final = frozenset(
    {"__pycache__", "build", "data", "dist", "media", "node_modules", "tests", "uploads", "venv"}
)
_IGNORED_SUFFIXES: Final = frozenset(
    {".bak", ".db", ".log", ".pyc", ".pyo", ".sqlite3", ".swp", ".swx", ".tmp"}
)
_TEMPLATES: Final = frozenset({".asok", ".html"})
_ASSET_FOLDERS: Final = (("src", "partials"), ("src", "static"))
#: What Python code reads, often once while it is imported.
_DATA: Final = frozenset(
    {".asok", ".csv", ".html", ".json", ".md", ".py", ".toml", ".txt", ".xml", ".yaml", ".yml"}
)


def effect_of(path: PurePath, root: PurePath) -> Effect:
    """Return what a change of the file `path` means for the site at `root`."""
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        return Effect.NOTHING
    if not parts:
        return Effect.NOTHING
    if parts == (".env",):
        return Effect.RESTART
    name, suffix = parts[-1], path.suffix.lower()
    if (
        any(part.startswith(".") or part in _IGNORED_FOLDERS for part in parts[:-1])
        or name.startswith((".", "#"))
        or name.endswith("~")
        or suffix in _IGNORED_SUFFIXES
        or ".sqlite3" in name
    ):
        return Effect.NOTHING
    if suffix == ".py":
        return Effect.RESTART
    if len(parts) == 1:
        # At the top there is only wsgi.py and .env; a README is nobody's input.
        return Effect.NOTHING
    if parts[0] != "src":
        return Effect.RESTART if suffix in _DATA else Effect.NOTHING
    if suffix == ".css":
        return Effect.STYLE
    if parts[:2] in _ASSET_FOLDERS or suffix in _TEMPLATES or suffix not in _DATA:
        return Effect.RELOAD
    return Effect.RESTART


def page_files(root: Path) -> frozenset[str]:
    """Return the paths of the files that make routes: a new or removed one is a restart."""
    found: set[str] = set()
    for folder, _, names in os.walk(root / "src" / "pages"):
        found.update(os.path.join(folder, name) for name in names if name.startswith("page."))
    return frozenset(found)


def watched_folders(root: Path) -> Iterable[Path]:
    """Return the folders to watch with all that is in them: `src` and others beside it."""
    with os.scandir(root) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if (
                entry.is_dir()
                and not entry.name.startswith(".")
                and entry.name not in _IGNORED_FOLDERS
            ):
                yield Path(entry.path)
