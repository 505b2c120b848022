from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import MetaData

from asok.models import Model

from .conftest import Run


@pytest.fixture(autouse=True)
def inside(blog: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(blog)
    # Status compares with the models of the process: here those of the site alone.
    convention = Model.metadata.naming_convention
    monkeypatch.setattr(Model, "metadata", MetaData(naming_convention=convention))


def test_migrations_run_once_in_order(run: Run) -> None:
    result = run("migrate")
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.output.splitlines()] == [
        "20260101_000000",
        "20260101_000001",
    ]
    assert "up to date" in run("migrate").output


def test_status_tells_what_is_pending_and_exits_with_1(run: Run) -> None:
    pending = run("migrate", "--status")
    assert pending.exit_code == 1
    assert pending.output.count("pending") == 2
    run("migrate")
    done = run("migrate", "--status")
    assert done.exit_code == 0
    assert "Database, migrations and models agree." in done.output


def test_status_tells_what_no_migration_makes(run: Run, blog: Path) -> None:
    run("migrate")
    model = blog / "src/models/post.py"
    model.write_text(model.read_text() + "    views: Mapped[int] = field(default=0)\n")
    result = run("migrate", "--status")
    assert result.exit_code == 0
    assert "new column posts.views" in result.output
    assert "asok make migration" in result.output


def test_rollback_undoes_the_last_and_to_base_all(run: Run) -> None:
    run("migrate")
    assert "undone   20260101_000001" in run("migrate", "--rollback").output
    assert "undone   20260101_000000" in run("migrate", "--rollback", "--to", "base").output
    assert "nothing to undo" in run("migrate", "--rollback").output


def test_to_stops_at_a_revision(run: Run) -> None:
    assert "20260101_000001" not in run("migrate", "--to", "20260101_000000").output


@pytest.mark.parametrize(
    "arguments",
    [("--status", "--rollback"), ("--status", "--to", "x"), ("--to", "base")],
)
def test_options_that_contradict_are_refused(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("migrate", *arguments).exit_code == 2


def test_unknown_revision_is_refused(run: Run) -> None:
    result = run("migrate", "--to", "20990101_000000")
    assert result.exit_code == 1
    assert "no migration has the revision" in result.output


def test_site_without_models_has_nothing_to_do(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site)
    assert "up to date" in run("migrate").output
    assert "no models and no migrations" in run("migrate", "--status").output
