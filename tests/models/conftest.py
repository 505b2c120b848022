"""Databases of the model tests: a real SQLite file and a real PostgreSQL database."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text
from tests.services import fresh_database

from asok import site_modules
from asok.models import Database, Model, configure

from .migrated import FIRST, Site
from .region import Region
from .shop import SHOP, TABLES


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/db.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def region() -> Region:
    """The cache that `.cache(ttl)` stores in."""
    return Region()


@pytest.fixture(scope="session")
def postgres_shop(postgres_server: str) -> Generator[str]:
    """A PostgreSQL database with the tables of `shop.py`, for all these tests."""
    with fresh_database(postgres_server) as made:
        opened = Database(made)
        opened.create_tables(SHOP)
        opened.dispose()
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, region: Region) -> Generator[Database]:
    """A configured database of each kind in turn, with the empty tables of `shop.py`."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path}/db.sqlite3")
        opened.create_tables(SHOP)
    else:
        opened = Database(str(request.getfixturevalue("postgres_shop")))
    configure(opened, cache=region)
    try:
        yield opened
        if request.param == "postgresql":
            with opened.engine.begin() as connection:
                tables = ", ".join(TABLES)
                connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    finally:
        configure(None)
        opened.dispose()


@pytest.fixture
def site(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Generator[Site]:
    # The models of the other tests have tables too, which this site's database must not get.
    monkeypatch.setattr(
        Model, "metadata", MetaData(naming_convention=Model.metadata.naming_convention)
    )
    made = Site(tmp_path, url)
    site_modules.install(tmp_path)
    configure(made.database)
    made.models(FIRST)
    yield made
    site_modules.uninstall()
    configure(None)
    made.database.dispose()
