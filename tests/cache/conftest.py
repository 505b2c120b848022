"""The three stores, for tests of what is built on top of them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from .places import FilePlace, MemoryPlace, Place, RedisPlace


@pytest.fixture(params=["memory", "file", "redis"])
def any_place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Place]:
    """A place of each kind in turn."""
    if request.param == "memory":
        yield MemoryPlace(monkeypatch)
    elif request.param == "file":
        yield FilePlace(tmp_path / "cache", monkeypatch)
    else:
        place = RedisPlace(request.getfixturevalue("redis_url"))
        yield place
        place.close()
