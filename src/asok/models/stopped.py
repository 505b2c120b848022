"""Why a migration stopped half way, in words, and what to do where the database has drifted."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from asok.errors import MigrationError, ModelError

__all__ = ["failed"]

#: What SQLite and PostgreSQL say where the database is not as the migrations left it.
_THERE = re.compile(r"already exists|duplicate column name")
_EMPTY = re.compile(r"(contains|column with default value) null|NOT NULL", re.IGNORECASE)
_AWAY = re.compile(r"no such (table|column|index)|does not exist|has no column")


def failed(path: str, error: Exception) -> MigrationError:
    """Return the error of a migration file that the database refused."""
    said = str(error.orig) if isinstance(error, DBAPIError) else _message(error)
    said = said.strip().split("\n", 1)[0].rstrip(".")
    if _THERE.search(said):
        why = "The database has already what it makes: somebody changed it by hand"
    elif _AWAY.search(said):
        why = "The database lacks what it changes: somebody changed it by hand"
    else:
        why = ""
    fix = "Correct the file and run `asok migrate` again; nothing of it was kept."
    if _EMPTY.search(said):
        fix = (
            "There are rows without a value for it. Give the field a default, or let the file add "
            "the column as nullable, fill it and only then forbid NULL. Nothing of it was kept."
        )
    elif why:
        fix = f"{why}. Undo that, or take the step out of the file; nothing of it was kept."
    return MigrationError(f"{Path(path).name} stopped: {said}.", fix=fix)


def _message(error: Exception) -> str:
    return error.message if isinstance(error, ModelError) else str(error)
