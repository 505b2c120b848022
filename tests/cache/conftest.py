"""The three stores, for tests of what is built on top of them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from .places import FilePlace, MemoryPlace, Place, RedisPlace


@pytest.fixture
def memory_place(monkeypatch: pytest.MonkeyPatch) -> MemoryPlace:
    return MemoryPlace(monkeypatch)


@pytest.fixture
def file_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilePlace:
    return FilePlace(tmp_path / "cache", monkeypatch)


@pytest.fixture
def redis_place(redis_url: str) -> Generator[RedisPlace]:
    made = RedisPlace(redis_url)
    yield made
    made.close()


@pytest.fixture(params=["memory", "file", "redis"])
def any_place(request: pytest.FixtureRequest) -> Place:
    """A place of each kind in turn."""
    return request.getfixturevalue(f"{request.param}_place")
