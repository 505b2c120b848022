"""Databases of the model tests: a real SQLite file and a real PostgreSQL database."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from asok.models import Database, configure

from .region import Region
from .shop import SHOP


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


@pytest.fixture
def database(url: str, region: Region) -> Generator[Database]:
    """A configured database with the tables of `shop.py`."""
    opened = Database(url)
    opened.create_tables(SHOP)
    configure(opened, cache=region)
    yield opened
    configure(None)
    opened.dispose()
