"""A client that asks the site directly, without a server."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("DEBUG", "true")

from asok import testing

from wsgi import app


@pytest.fixture(scope="session")
def client() -> Iterator[testing.Client]:
    with testing.client(app) as client:
        yield client
