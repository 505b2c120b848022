"""The contract of stores, on the disk and in Redis."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from .places import DiskPlace, Place, RedisPlace
from .store_contract import StoreContract


@pytest.fixture(params=["disk", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Place]:
    made: Place = (
        DiskPlace(tmp_path)
        if request.param == "disk"
        else RedisPlace(tmp_path, request.getfixturevalue("redis_url"))
    )
    yield made
    made.close()


class TestStore(StoreContract):
    pass
