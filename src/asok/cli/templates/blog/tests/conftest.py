"""A client that asks the site directly, without a server; its database is made for the tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(tempfile.mkdtemp(prefix="__NAME__-"))
os.environ["DEBUG"] = "true"
os.environ["DATABASE_URL"] = f"sqlite:///{FOLDER / 'test.sqlite3'}"

from asok import testing  # noqa: E402
from asok.models import configured_database  # noqa: E402
from asok.models.migrations import migrate  # noqa: E402

from wsgi import app  # noqa: E402


@pytest.fixture(scope="session")
def client() -> Iterator[testing.Client]:
    migrate(configured_database(), Path("src/migrations"))
    with testing.client(app) as client:
        yield client
