"""The time that files of the cache carry, on machines that tell less of it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from asok.cache import clock
from asok.cache.file import FileStore
from asok.testing.stores.asking import value_of


@pytest.fixture
def no_boot_clock(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    clock.boot_name.cache_clear()
    monkeypatch.setattr(clock, "_BOOT", None)
    yield
    clock.boot_name.cache_clear()


@pytest.mark.usefixtures("no_boot_clock")
def test_without_a_clock_of_the_boot_the_wall_clock_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path)
    assert clock.boot_name() == ""
    store.set("key", 1, ttl=60)
    now = clock.running()
    assert value_of(store, "key") == 1
    for later, there in ((30, True), (61, False), (-1, False)):
        monkeypatch.setattr(clock, "wall", lambda later=later: now + later)
        assert (store.get("key") is not None) == there, later
