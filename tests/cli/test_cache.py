"""`asok cache` on the stores that workers share."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.services import free_port

from asok import backends
from asok.cache import Cache
from asok.cli.cached import _size  # pyright: ignore[reportPrivateUsage]
from asok.notices import FileNotices
from asok.pages import DiskStore, StoredPage
from asok.settings import Settings
from asok.testing.stores.asking import eventually

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


def test_workers_with_a_memory_of_their_own_are_told_what_to_forget(run: Run, site: Path) -> None:
    heard: list[object] = []
    notices = FileNotices(site / ".asok/notices")
    (site / ".asok").mkdir(exist_ok=True)
    notices.path.touch()
    notices.subscribe("cache.purged", lambda message: heard.append(message["keys"]))
    assert "key  forgotten" in run("cache", "forget", "key", "other").output
    assert "those tagged posts forgotten (memory)" in run("cache", "clear", "--tag", "posts").output
    assert "forgotten (memory)" in run("cache", "clear").output
    with patch("os.getpid", return_value=0):  # as a worker, which is another process
        notices.poll()
    notices.stop()
    assert heard == [["key"], ["other"], ["\0asok:posts"], None]


def test_nobody_can_look_into_the_memory_of_workers(run: Run) -> None:
    for arguments in (["stats"], ["get", "key"]):
        result = run("cache", *arguments)
        assert result.exit_code == 1, arguments
        assert "ASOK_CACHE_BACKEND=file or redis" in result.output


@pytest.mark.parametrize("backend", ["file", "redis"])
def test_workers_stats_values_and_tags_are_seen_and_forgotten_from_the_command_line(
    run: Run, site: Path, redis_url: str, backend: str
) -> None:
    env(site, f"ASOK_CACHE_BACKEND={backend}\nREDIS_URL={redis_url}\n")
    assert run("cache", "clear", "--values").exit_code == 0
    assert "nothing was asked yet" in run("cache", "stats").output
    cache = Cache(backend=backend, path=site / ".asok/cache", url=redis_url)
    cache.start()
    cache.set("row", {"name": "Ann", "ids": (1, 2)}, 60, tags=["people"])
    cache.set("text", "plain text")
    cache.set("short", 1, 0.001)
    assert cache.get("row") is not None
    assert cache.get("text") is not None
    assert cache.get("none") is None
    cache.close()
    found = json.loads(run("cache", "stats", "--json").output)
    assert found["backend"] == backend
    assert (found["hits"], found["misses"], found["errors"]) == (2, 1, 0)
    assert found["entries"] >= 3
    assert found["bytes"] > 10
    output = run("cache", "stats").output
    assert "2 of 3 from the cache (66 %), 0 of them stale" in output
    assert f"{backend}, " in output
    assert run("cache", "get", "row").output == "{'name': 'Ann', 'ids': (1, 2)}\n"
    assert run("cache", "get", "text").output == "plain text\n"
    assert json.loads(run("cache", "get", "row", "--json").output)["ids"] == {"$tuple": [1, 2]}
    result = run("cache", "get", "none")
    assert (result.exit_code, "nothing is cached under 'none'" in result.output) == (1, True)
    assert "by a tag: asok cache clear --tag" in " ".join(result.output.split())
    assert "tagged people, staff forgotten" in (
        run("cache", "clear", "--tag", "people", "--tag", "staff").output
    )
    assert not cache.has("row")
    assert "forgotten by one of its tags" in run("cache", "get", "row").output
    assert run("cache", "forget", "text", "none").output == (
        "text  forgotten\nnone  was not there\n"
    )
    assert not cache.has("text")
    assert run("cache", "clear", "--values").exit_code == 0
    assert cache.totals() == dict.fromkeys(cache.stats(), 0)
    cache.close()


def test_an_old_value_is_shown_with_its_age(run: Run, site: Path) -> None:
    env(site, "ASOK_CACHE_BACKEND=file\n")
    cache = Cache(backend="file", path=site / ".asok/cache")
    cache.store.set("key", [1], ttl=0.001, stale=600)
    eventually(lambda: not cache.has("key"))
    output = run("cache", "get", "key").output
    assert "stale for 0 s" in output
    assert "[1]" in output


def test_a_store_in_trouble_is_an_error_not_an_empty_cache(run: Run, site: Path) -> None:
    env(site, f"ASOK_CACHE_BACKEND=redis\nREDIS_URL=redis://127.0.0.1:{free_port()}/0\n")
    for arguments in (
        ["stats"],
        ["get", "key"],
        ["forget", "key"],
        ["clear", "--tag", "posts"],
        ["clear", "--values"],
    ):
        result = run("cache", *arguments)
        assert result.exit_code == 1, arguments
        assert "Connection refused" in " ".join(result.output.split())


def test_what_can_not_be_asked_is_refused(run: Run, site: Path) -> None:
    env(site, "ASOK_CACHE_BACKEND=file\n")
    result = run("cache", "clear", "--pages", "--tag", "posts")
    assert result.exit_code == 2
    assert "asok revalidate --tag posts" in result.output
    assert "expected a str that is not empty" in " ".join(run("cache", "get", "").output.split())
    assert "Did you mean stats" in run("cache", "stat").output
    for number, said in ((999, "999 B"), (1500, "1.5 KB"), (2.5e6, "2.5 MB"), (3e9, "3.0 GB")):
        assert _size(number) == said


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
