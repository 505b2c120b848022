"""A site whose models change: its files, its migrations and a database of its own."""

from __future__ import annotations

import textwrap
from pathlib import Path

from sqlalchemy import inspect

from asok import site_modules
from asok.models import Database
from asok.models.migrations import make_migration, migrate

__all__ = ["FIRST", "Site"]

FIRST = """
    from datetime import datetime
    from asok.models import Mapped, Model, Timestamps, field, relationship

    class Critic(Model):
        name: Mapped[str]

    class Article(Timestamps, Model):
        slug: Mapped[str] = field(unique=True)
        score: Mapped[float | None]
        seen_at: Mapped[datetime | None]
        data: Mapped[dict | None]
        critic_id: Mapped[int] = field(foreign_key="critics.id", on_delete="cascade", index=True)
        critic: Mapped[Critic] = relationship()
"""


class Site:
    """A site on disk with one model file and a database of its own."""

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.folder = root / "src" / "migrations"
        self.url = url
        self.database = Database(url)
        (root / "src" / "models").mkdir(parents=True)

    def models(self, source: str) -> None:
        (self.root / "src/models/article.py").write_text(textwrap.dedent(source))
        site_modules.purge()

    def make(self, message: str, *, empty: bool = False) -> Path:
        return make_migration(self.database, self.folder, message, empty=empty).path

    def migrate(self, to: str | None = None) -> list[str]:
        return [done.message for done in migrate(self.database, self.folder, to)]

    def columns(self, table: str) -> set[str]:
        return {column["name"] for column in inspect(self.database.engine).get_columns(table)}

    def tables(self) -> set[str]:
        return set(inspect(self.database.engine).get_table_names()) - {"alembic_version"}
