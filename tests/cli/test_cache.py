from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.services import free_port

from asok import backends
from asok.cache import Cache
from asok.pages import DiskStore, StoredPage
from asok.settings import Settings

from .conftest import Run


@pytest.fixture(autouse=True)
def inside(site: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)


def env(site: Path, text: str) -> None:
    with (site / ".env").open("a") as file:
        file.write(text)


def test_values_in_files_are_forgotten(run: Run, site: Path) -> None:
    env(site, "ASOK_CACHE_BACKEND=file\n")
    cache = Cache(backend="file", path=site / ".asok/cache")
    cache.set("key", 1)
    result = run("cache", "clear")
    assert result.exit_code == 0
    assert "forgotten (file)" in result.output
    assert not Cache(backend="file", path=site / ".asok/cache").has("key")


def test_values_in_redis_are_forgotten(run: Run, site: Path, redis_url: str) -> None:
    env(site, f"ASOK_CACHE_BACKEND=redis\nREDIS_URL={redis_url}\n")
    cache = Cache(backend="redis", url=redis_url)
    cache.set("key", 1)
    assert "forgotten (redis)" in run("cache", "clear", "--values").output
    assert not cache.has("key")


def test_values_in_memory_are_each_process_own(run: Run) -> None:
    assert "each process has its own" in run("cache", "clear").output


def test_regenerated_pages_are_forgotten_and_built_ones_stay(run: Run, site: Path) -> None:
    assert run("build").exit_code == 0
    folder = site / ".asok/ssg_cache"
    store = DiskStore(folder)
    built = store.get("/")
    assert built is not None
    newer = StoredPage(
        path="/new",
        pattern="/new",
        status=200,
        headers=(),
        holed=built.holed,
        rendered_at=built.rendered_at + 10,
        listed=False,
    )
    assert store.put(newer)
    assert DiskStore(folder).get("/new") is not None
    assert "back to those of the last build" in run("cache", "clear", "--pages").output
    assert set(DiskStore(folder).paths()) == {"/"}


def test_regenerated_pages_in_redis_are_forgotten(run: Run, site: Path, redis_url: str) -> None:
    assert run("build").exit_code == 0
    env(site, f"ASOK_PAGES_BACKEND=redis\nREDIS_URL={redis_url}\n")
    folder = site / ".asok/ssg_cache"
    settings = Settings.load(site, {}, secret_keys=("k" * 32,))
    store = backends.pages(settings, folder)
    built = store.get("/")
    assert built is not None
    assert store.put(replace(built, path="/new", rendered_at=built.rendered_at + 10, listed=False))
    assert backends.pages(settings, folder).get("/new") is not None
    assert "back to those of the last build" in run("cache", "clear", "--pages").output
    assert set(backends.pages(settings, folder).paths()) == {"/"}
    env(site, f"ASOK_REDIS_URL=redis://127.0.0.1:{free_port()}/0\n")
    result = run("cache", "clear", "--pages")
    assert result.exit_code == 1
    assert "Connection refused" in " ".join(result.output.split())


def test_site_that_was_never_built_has_no_pages_to_forget(run: Run) -> None:
    result = run("cache", "clear", "--pages")
    assert result.exit_code == 0
    assert "values" not in result.output
