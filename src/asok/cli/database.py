"""The database of a site for commands that need no pages: its settings and its models alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from asok.cli.site import without_key

if TYPE_CHECKING:
    from asok.models import Database

__all__ = ["MIGRATIONS", "open_database"]

#: Where the migrations are, relative to the site's folder.
MIGRATIONS = Path("src") / "migrations"


def open_database(root: Path) -> Database:
    """Return the database of the site at `root`, with its models importable.

    Its pages are not imported: they may need the very migration that is to be run. Raises
    `ConfigurationError` for settings that can't be used.
    """
    from asok import models, site_modules
    from asok.settings import Settings

    os.chdir(root)
    without_key()
    settings = Settings.load(root)
    site_modules.install(root)
    database = models.Database(settings.database_url)
    models.configure(database)
    return database
