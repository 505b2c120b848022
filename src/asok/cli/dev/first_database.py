"""The database of a site that was just created or cloned: made at the first start, never changed.

A SQLite file that isn't there yet holds nothing that a migration could lose, so its
migrations are simply run. Every other database is left to `asok migrate`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asok.cli.database import MIGRATIONS

if TYPE_CHECKING:
    from asok.app import Asok

__all__ = ["make_missing", "pending_note"]

_SQLITE = "sqlite:///"


def make_missing(app: Asok) -> str | None:
    """Make the site's SQLite database where it is missing; return a note that says so."""
    url = app.settings.database_url
    folder = app.root / MIGRATIONS
    if not url.startswith(_SQLITE) or not any(folder.glob("*.py")):
        return None
    file = Path(url.removeprefix(_SQLITE).partition("?")[0])
    file = app.root / file
    if not file.name or file.name == ":memory:" or file.exists():
        return None
    from asok.models import configured_database
    from asok.models.migrations import migrate

    database = configured_database()
    try:
        ran = migrate(database, folder)
    except BaseException:
        # What it left is half a database that the next start would take for a whole one.
        database.dispose()
        for left in file.parent.glob(f"{file.name}*"):
            left.unlink()
        raise
    counted = "1 migration" if len(ran) == 1 else f"{len(ran)} migrations"
    return f"made {file.name}: {counted}"


def pending_note(app: Asok) -> str | None:
    """Return a note about migrations that the database doesn't have yet."""
    folder = app.root / MIGRATIONS
    if not any(folder.glob("*.py")):
        return None
    from asok.models import configured_database
    from asok.models.migrations import status

    pending = status(configured_database(), folder).pending
    if not pending:
        return None
    counted = "1 migration is" if len(pending) == 1 else f"{len(pending)} migrations are"
    return f"{counted} not in the database yet: asok migrate"
