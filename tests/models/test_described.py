"""What a migration says of itself: each step, and what it destroys."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from asok.errors import MigrationError
from asok.models.migrations import make_migration, rollback, status

from .migrated import FIRST, Site


def test_a_dropped_model_and_column_are_said_in_words(site: Site) -> None:
    site.make("first")
    site.migrate()
    site.models(
        """
        from asok.models import Mapped, Model
        class Critic(Model):
            name: Mapped[str | None]
        """
    )
    assert status(site.database, site.folder).changes == (
        "index ix_articles_critic_id is dropped",
        "column critics.name changes",
        "table articles has no model any more: it is dropped",
    )
    site.make("drop")
    site.migrate()
    assert site.tables() == {"critics"}
    site.models("from asok.models import Model\nclass Critic(Model): pass\n")
    assert status(site.database, site.folder).changes == (
        "column critics.name is in no model any more: it is dropped",
    )


def test_what_a_migration_destroys_is_said_with_the_renaming_that_it_may_be(site: Site) -> None:
    site.make("first")
    site.migrate()
    site.models(
        """
        from asok.models import Mapped, Model
        class Reviewer(Model):
            name: Mapped[str]
        """
    )
    drafted = make_migration(site.database, site.folder, "drop")
    assert set(drafted.losses) == {
        "table articles is dropped with its rows.",
        "table critics is dropped with its rows. If it is reviewers now, write "
        "op.rename_table('critics', 'reviewers') instead of making one and dropping the other.",
    }
    text_ = drafted.path.read_text()
    assert "Read this before you run it:\n\n- table " in text_
    site.migrate()
    assert site.tables() == {"reviewers"}
    rollback(site.database, site.folder)
    drafted.path.unlink()
    site.models(FIRST.replace("slug: Mapped[str]", "address: Mapped[str]"))
    renamed = make_migration(site.database, site.folder, "rename")
    assert renamed.losses == (
        "column articles.slug is dropped with its values. If it is address now, write "
        "batch_op.alter_column('slug', new_column_name='address') instead of adding one and "
        "dropping the other.",
    )


def test_rows_without_a_value_for_a_new_column_are_what_stops_it(site: Site) -> None:
    site.make("first")
    site.migrate()
    with site.database.connect() as connection:
        connection.execute(text("INSERT INTO critics (name) VALUES ('Ann')"))
    site.models(FIRST.replace("name: Mapped[str]", "name: Mapped[str]\n        email: Mapped[str]"))
    path = site.make("email")
    with pytest.raises(MigrationError, match=rf"{path.name} stopped: .*There are rows without"):
        site.migrate()
    assert "email" not in site.columns("critics")
