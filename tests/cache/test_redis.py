"""The Redis store: the contract (the server's troubles are in `test_redis_trouble`)."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from .contract import StoreContract
from .places import RedisPlace
from .region_contract import RegionContract


@pytest.fixture
def place(redis_url: str) -> Generator[RedisPlace]:
    made = RedisPlace(redis_url)
    yield made
    made.close()


class TestRedisStore(StoreContract):
    pass


class TestRedisRegion(RegionContract):
    pass
