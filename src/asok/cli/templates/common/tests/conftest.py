"""A client that asks the site directly, without a server."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("DEBUG", "true")

from starlette.testclient import TestClient

from wsgi import app


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as client:
        yield client
