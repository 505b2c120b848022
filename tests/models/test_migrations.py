"""Migrations: written from the models, reviewed as files, run and undone on both databases."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from asok.errors import MigrationError
from asok.models import Database, autogenerate
from asok.models.migrations import migrate, rollback, status

from .migrated import FIRST, Site

SECOND = FIRST.replace(
    "class Article", "class Label(Model):\n        name: Mapped[str]\n\n    class Article"
).replace(
    "score: Mapped[float | None]",
    "score: Mapped[int] = field(default=3)\n        open: Mapped[bool] = field(default=True)",
)


def test_the_whole_way(site: Site) -> None:
    before = status(site.database, site.folder)
    assert before.changes == (
        "new table critics",
        "new table articles",
        "new index ix_articles_critic_id on articles",
    )
    assert not before.up_to_date

    path = site.make("Create articles")
    assert path.parent == site.folder
    assert path.name.endswith("_create_articles.py")
    source = path.read_text()
    assert source.startswith('"""Create articles\n\n- new table critics')
    assert "sa.DateTime(timezone=True)" in source
    assert "asok" not in source
    assert status(site.database, site.folder).changes is None
    with pytest.raises(
        MigrationError, match=r"1 migrations are not in the database yet.*asok migrate"
    ):
        site.make("again")

    assert site.migrate() == ["Create articles"]
    assert site.migrate() == []
    assert site.tables() == {"critics", "articles"}
    assert status(site.database, site.folder).up_to_date
    with pytest.raises(MigrationError, match="nothing to migrate"):
        site.make("nothing")

    from src.models import Article, Critic  # pyright: ignore

    critic = Critic.create(name="Ann")  # pyright: ignore
    Article.create(slug="a", critic=critic, score=1.5)  # pyright: ignore

    site.models(SECOND)
    second = site.make("Scores, and labels")
    assert [m.message for m in status(site.database, site.folder).pending] == ["Scores, and labels"]
    assert site.migrate() == ["Scores, and labels"]
    assert status(site.database, site.folder).up_to_date
    with site.database.connect() as connection:
        row = connection.execute(text("SELECT slug, score, open FROM articles")).one()
    assert row[0] == "a"
    assert row[1] in (1, 2)
    assert row[2] in (True, 1)

    undone = rollback(site.database, site.folder)
    assert [m.path for m in undone] == [second]
    assert site.tables() == {"critics", "articles"}
    assert "open" not in site.columns("articles")
    assert [m.message for m in rollback(site.database, site.folder, to="base")] == [
        "Create articles"
    ]
    assert site.tables() == set()
    assert rollback(site.database, site.folder) == []
    assert len(site.migrate()) == 2


def test_rows_that_refer_to_a_table_survive_its_migration(site: Site) -> None:
    site.make("first")
    site.migrate()
    from src.models import Article, Critic  # pyright: ignore

    critic = Critic.create(name="Ann")  # pyright: ignore
    Article.create(slug="a", critic=critic)  # pyright: ignore
    site.models(FIRST.replace("name: Mapped[str]", "name: Mapped[str] = field(unique=True)"))
    assert status(site.database, site.folder).changes == ("new constraint uq_critics_name",)
    site.make("unique names")
    site.migrate()
    with site.database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM articles")).scalar() == 1
        if site.database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert status(site.database, site.folder).up_to_date


def test_to_a_revision_forwards_and_backwards(site: Site) -> None:
    paths = [site.make("first")]
    site.migrate()
    for name in ("second", "third"):
        paths.append(site.make(name, empty=True))
        site.migrate()
    revisions = [m.revision for m in status(site.database, site.folder).applied]
    assert [m.message for m in rollback(site.database, site.folder, to=revisions[0])] == [
        "third",
        "second",
    ]
    assert site.migrate(to=revisions[1]) == ["second"]
    assert [m.message for m in status(site.database, site.folder).pending] == ["third"]
    with pytest.raises(MigrationError, match=r"past .* already.*--rollback"):
        site.migrate(to=revisions[0])
    with pytest.raises(MigrationError, match="is not in the database"):
        rollback(site.database, site.folder, to=revisions[2])
    with pytest.raises(MigrationError, match="no migration has the revision 'nonsense'"):
        site.migrate(to="nonsense")
    assert site.migrate(to=revisions[2]) == ["third"]
    assert [m.message for m in rollback(site.database, site.folder, steps=2)] == ["third", "second"]


def test_a_migration_that_fails_leaves_nothing_of_itself(site: Site) -> None:
    site.make("first")
    site.migrate()
    path = site.make("breaks", empty=True)
    path.write_text(
        path.read_text().replace(
            "def upgrade() -> None:\n    pass",
            "def upgrade() -> None:\n    op.create_table('half', sa.Column('id', sa.Integer))\n"
            "    op.execute('INSERT INTO nowhere VALUES (1)')",
        )
    )
    with pytest.raises(MigrationError, match=r"_breaks\.py stopped: .*nowhere") as caught:
        site.migrate()
    assert "lacks what it changes" in (caught.value.fix or "")
    assert "half" not in site.tables()
    assert [m.message for m in status(site.database, site.folder).pending] == ["breaks"]


def test_a_database_that_was_changed_by_hand_is_named(site: Site) -> None:
    site.make("first")
    with site.database.connect() as connection:
        connection.execute(text("CREATE TABLE articles (id integer primary key)"))
    with pytest.raises(MigrationError, match=r"_first\.py stopped: .*articles") as caught:
        site.migrate()
    assert "has already what it makes: somebody changed it by hand" in (caught.value.fix or "")
    with site.database.connect() as connection:
        connection.execute(text("DROP TABLE articles"))
    site.migrate()
    with site.database.connect() as connection:
        connection.execute(text("ALTER TABLE articles ADD COLUMN extra integer"))
    found = status(site.database, site.folder)
    assert found.changes == ("column articles.extra is in no model any more: it is dropped",)
    assert not found.up_to_date


def test_a_migration_that_the_database_refuses_otherwise_says_why(site: Site) -> None:
    site.make("first")
    site.migrate()
    path = site.make("wrong", empty=True)
    path.write_text(
        path.read_text().replace("None:\n    pass", "None:\n    op.execute('SELEC 1')", 1)
    )
    with pytest.raises(MigrationError, match=r"_wrong\.py stopped: .*syntax") as caught:
        site.migrate()
    assert "Correct the file" in (caught.value.fix or "")


def test_a_migration_that_orphans_rows_is_refused_on_sqlite(site: Site) -> None:
    if not site.database.is_sqlite:
        return  # PostgreSQL refuses it by itself
    site.make("first")
    site.migrate()
    from src.models import Article, Critic  # pyright: ignore

    Article.create(slug="a", critic=Critic(name="Ann"))  # pyright: ignore
    path = site.make("orphans", empty=True)
    path.write_text(
        path.read_text().replace(
            "None:\n    pass", "None:\n    op.execute('DELETE FROM critics')", 1
        )
    )
    with pytest.raises(MigrationError, match="rows of articles would refer to rows of critics"):
        site.migrate()
    assert Critic.query().count() == 1  # pyright: ignore


def test_two_newest_migrations_are_named(site: Site) -> None:
    first = site.make("first")
    site.migrate()
    one = site.make("one", empty=True)
    revision = first.name.removesuffix("_first.py")
    two = site.folder / "20990101_000000_two.py"
    two.write_text(one.read_text().replace(one.name.removesuffix("_one.py"), "20990101_000000"))
    assert f"down_revision = '{revision}'" in two.read_text()
    with pytest.raises(MigrationError, match=r"2 migrations are the newest: .*down_revision"):
        site.migrate()


def test_a_database_of_other_migrations_is_refused(site: Site) -> None:
    path = site.make("first")
    site.migrate()
    path.unlink()
    with pytest.raises(MigrationError, match=r"no file in .* has this revision"):
        status(site.database, site.folder)


def test_files_that_are_no_migrations_are_refused(site: Site) -> None:
    path = site.make("first")
    path.write_text(path.read_text().replace("down_revision = None", "down_revision = 'missing'"))
    with pytest.raises(MigrationError, match=r"Revision missing .* is not present"):
        site.migrate()


def test_without_a_folder_nothing_is_pending(site: Site) -> None:
    assert site.migrate() == []
    assert rollback(site.database, site.folder) == []
    assert len(status(site.database, site.folder).changes or ()) == 3


def _migrate(url: str, folder: Path, results: multiprocessing.Queue[int | str]) -> None:
    try:
        database = Database(url)
        results.put(len(migrate(database, folder)))
        database.dispose()
    except Exception as error:  # noqa: BLE001  shown by the test
        results.put(repr(error))


def test_several_processes_migrate_once(site: Site) -> None:
    for name in ("one", "two", "three"):
        site.make(name, empty=True)
        site.migrate()
    rollback(site.database, site.folder, to="base")
    site.database.dispose()
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[int | str] = context.Queue()
    workers = [
        context.Process(target=_migrate, args=(site.url, site.folder, results)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    done = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sorted(done, key=str) == [0, 0, 0, 3]


def test_a_database_in_memory_can_be_migrated(site: Site) -> None:
    site.make("first")
    memory = Database("sqlite://")
    assert len(migrate(memory, site.folder)) == 1
    assert status(memory, site.folder).up_to_date
    memory.engine.dispose()


def test_a_sites_own_type_is_imported_by_its_migration(site: Site) -> None:
    site.models(
        """
        from sqlalchemy import String, TypeDecorator, UniqueConstraint
        from asok.models import Mapped, Model, field

        class Loud(TypeDecorator):
            impl = String
            cache_ok = True

        class Critic(Model):
            __table_args__ = (UniqueConstraint("name", "alias"),)
            name: Mapped[str]
            alias: Mapped[str] = field(Loud())
        """
    )
    source = site.make("types").read_text()
    assert "import src.models.article\n" in source
    site.migrate()
    assert status(site.database, site.folder).up_to_date
    site.models(
        """
        from asok.models import Mapped, Model
        class Critic(Model):
            name: Mapped[str]
            alias: Mapped[str]
        """
    )
    changes = status(site.database, site.folder).changes or ()
    assert "constraint uq_critics_name_alias is dropped" in changes


def test_names_of_files() -> None:
    folder = Path("/nowhere")
    revision, path = autogenerate.new_path(folder, "Größe: add/remove  'it'")
    assert path.name == f"{revision}_gr_e_add_remove_it.py"
    assert autogenerate.new_path(folder, "!?")[1].name.endswith("_migration.py")


def test_two_migrations_of_one_second_have_different_revisions(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
    names: list[str] = []
    for _ in range(3):
        revision, path = autogenerate.new_path(tmp_path, "same", moment)
        path.touch()
        names.append(revision)
    assert names == ["20261121_120000", "20261121_120000_2", "20261121_120000_3"]


def test_a_message_can_not_end_the_docstring() -> None:
    changes = autogenerate.Changes((), (), "", "", ())
    text_ = autogenerate.source(changes, message='a"""\nimport os\\', revision="1", after=None)
    compile(text_, "migration", "exec")
