"""Making a cache: names, options, and errors that say what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asok import cache as door
from asok.cache import Cache, cache, configure, default
from asok.cache.file import FileStore
from asok.cache.memory import MemoryStore
from asok.errors import ConfigurationError


def test_memory_is_the_default() -> None:
    store = Cache().store
    assert isinstance(store, MemoryStore)
    assert isinstance(Cache("memory", max_entries=5, max_bytes=1000).store, MemoryStore)


def test_a_file_cache_is_in_its_folder_and_spaces_are_folders_in_it(tmp_path: Path) -> None:
    def folder(**options: Any) -> str:
        store = Cache(backend="file", path=tmp_path, **options).store
        assert isinstance(store, FileStore)
        return str(Path(store.folder).relative_to(tmp_path))

    assert folder() == "."
    assert folder(prefix="shop") == "space-shop"
    assert folder(prefix="shop", namespace="v2") == "space-shop/space-v2"
    assert folder(prefix="shop", version=2) == "space-shop/version-2"


@pytest.mark.parametrize("backend", ["file", "redis"])
def test_versions_keep_values_apart(backend: str, tmp_path: Path, redis_url: str) -> None:
    one, two, three = (
        Cache(backend=backend, path=tmp_path, url=redis_url, namespace="versions", version=number)
        for number in (1, 2, 3)
    )
    for one_of in (one, two):
        one_of.set("key", one_of.store.__class__.__name__)
        one_of.set("only", 1, tags=["t"])
    assert not three.has("key")
    one.flush()
    assert (one.has("key"), two.has("key")) == (False, True)
    one.forget_tags("t")
    assert two.has("only")
    two.flush()
    for one_of in (one, two, three):
        one_of.close()


def test_two_file_caches_of_one_path_share_their_values(tmp_path: Path) -> None:
    Cache(backend="file", path=tmp_path / "c").set("key", (1, 2), ttl=60)
    assert Cache(backend="file", path=str(tmp_path / "c")).get("key") == (1, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"backend": "memori"}, "Did you mean 'memory'?"),
        ({"backend": "Redis"}, "Did you mean 'redis'?"),
        ({"backend": "memcached"}, "expected one of file, memory, redis"),
        ({"namespace": "a:b"}, "namespace='a:b': expected up to 64 letters"),
        ({"prefix": "../x"}, "prefix='../x'"),
        ({"prefix": "x" * 65}, "prefix="),
        ({"max_entries": 0}, "max_entries=0: expected an int of at least 1"),
        ({"max_bytes": True}, "max_bytes=True"),
        ({"max_bytes": 1.5}, "max_bytes=1.5"),
        ({"version": 0}, "version=0: expected an int from 1"),
        ({"version": "2"}, "version='2'"),
        ({"timeout": 0}, "timeout=0: expected seconds"),
        ({"timeout": 6}, "at most 5"),
        ({"timeout": True}, "timeout=True"),
        ({"timeout": "5"}, "timeout='5'"),
        ({"backend": "redis", "max_entries": 5}, "maxmemory"),
    ],
)
def test_an_option_that_can_not_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Cache(**options)
    assert said in str(caught.value)


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Cache(backend="fil", namespace="a b", max_bytes=-1)
    assert len(caught.value.problems) == 3


def test_the_application_cache_is_whatever_is_configured() -> None:
    try:
        configure(None)
        assert isinstance(default().store, MemoryStore)
        assert default() is default()
        mine = Cache()
        configure(mine)
        cache.set("key", 1)
        assert mine.get("key") == 1
        assert default() is mine
        assert "MemoryStore" in repr(cache)
        with pytest.raises(AttributeError):
            _ = cache.no_such_method  # type: ignore[attr-defined]  # pyright: ignore
    finally:
        configure(None)


def test_the_door_has_what_it_names() -> None:
    assert all(hasattr(door, name) for name in door.__all__)
