"""Redis that hangs, dribbles, resets, refuses or is away: pages are served all the same."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from asok.pages import (
    DiskStore,
    Match,
    PageOptions,
    Regenerator,
    Rendered,
    Seen,
    Shelf,
    prepare,
    scan,
)
from asok.pages.redis_overlay import RedisOverlay

from ..cache.proxy import Proxy, proxied
from ..services import free_port, program
from .places import RedisPlace, wait_for
from .store_contract import body, render, stored

# pyright: reportPrivateUsage=false


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Generator[RedisPlace]:
    made = RedisPlace(tmp_path, redis_url)
    yield made
    made.close()


@pytest.fixture
def proxy(redis_url: str) -> Generator[Proxy]:
    with proxied(redis_url) as made:
        yield made


def behind(place: RedisPlace, proxy: Proxy) -> tuple[DiskStore, RedisOverlay]:
    """A worker that reaches Redis through `proxy`."""
    overlay = place.overlay(url=proxy.url, timeout=0.3)
    overlay._link.breaker.pause = 0.05
    return DiskStore(place.folder, fingerprint="f1", overlay=overlay), overlay


def match_of(folder: Path) -> Match:
    """A page of a site in `folder` that was asked for."""
    root = folder / "pages" / "blog" / "[slug]"
    root.mkdir(parents=True)
    (root / "page.py").touch()
    (route,) = scan(folder / "pages").routes
    return Match(route, {"slug": "a"}, "/blog/a")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]


@pytest.mark.parametrize("mode", ["hang", "dribble", "reset", "cut"])
@pytest.mark.parametrize("warm", [False, True])
def test_pages_are_served_without_redis_and_shared_again_with_it(
    place: RedisPlace, proxy: Proxy, mode: str, warm: bool, caplog: pytest.LogCaptureFixture
) -> None:
    place.build(stored("/built", b"built", tags=("posts",)), now=time.time())
    healthy = place.open()
    assert render(healthy, "/made", b"made", listed=False, tags=("posts",))
    store, overlay = behind(place, proxy)
    if warm:
        assert body(store, "/made") == b"made"
    proxy.mode = mode
    began = time.monotonic()
    assert store.look("/unknown")[0] is None
    assert time.monotonic() - began < 3  # 0.3 asked for
    wait_for(lambda: overlay._link.breaker.open, what="the breaker")
    overlay._link.breaker.pause = 600
    overlay._link.breaker.trip("for the test")
    connections = proxy.connections

    assert body(store, "/built") == b"built"
    assert body(store, "/made") == (b"made" if warm else None)
    with store.lease("/unknown", 5.0) as held:
        assert held, "who can't ask renders"
        ticket = store.begin("/unknown")
        assert store.put(stored("/unknown", b"in memory", ticket=ticket), ticket=ticket)
    assert body(store, "/unknown") == b"in memory"
    assert not store.invalidate_tag("posts", time.time(), block=True), "not yet known elsewhere"
    assert store.look("/built")[1].invalidated == "block"
    assert store.fail("/built", time.time(), revalidate=None, error="x").failures == 1
    assert store.invalidate("/unknown", time.time(), block=False).generation == 1
    store.remove("/unknown", time.time())
    assert set(store.paths()) >= {"/built"}
    assert proxy.connections == connections, "with the breaker open nobody asks Redis"
    assert len(errors(caplog)) == 1
    assert "served from memory" in errors(caplog)[0]

    proxy.mode = "pass"
    overlay._link.breaker.pause = 0.05
    overlay._link.breaker.trip("for the test")
    wait_for(lambda: not overlay._link.breaker.open, what="the recovery")
    wait_for(
        lambda: healthy.look("/made")[1].invalidated == "block",
        what="the notice of the tag that was invalidated meanwhile",
    )
    assert render(store, "/shared", b"shared", listed=False)
    assert body(healthy, "/shared") == b"shared"


def test_a_page_is_rendered_and_served_while_redis_hangs(
    place: RedisPlace, proxy: Proxy, tmp_path: Path
) -> None:
    match = match_of(tmp_path)
    renders: list[str] = []

    def make(match: Match) -> Rendered:
        renders.append(match.path)
        page = stored(body=b"%d" % len(renders))
        return Rendered(200, [], page.holed)

    store, overlay = behind(place, proxy)
    regenerator = Regenerator(store, make, wait=5.0)
    proxy.mode = "hang"
    options = PageOptions(ssg=True, revalidate=60.0)
    first = regenerator.get(match, options)
    assert first.page is not None
    assert first.page.holed.body == b"1"
    assert regenerator.get(match, options).cache == "HIT", "kept in this worker's memory"
    proxy.mode = "pass"
    wait_for(lambda: not overlay._link.breaker.open, what="the recovery")
    regenerator.close()


def test_a_server_that_is_down_at_the_start_is_found_when_it_comes(
    place: RedisPlace, tmp_path: Path
) -> None:
    port = free_port()
    overlay = place.overlay(url=f"redis://127.0.0.1:{port}/0")
    overlay._link.breaker.pause = 0.05
    store = DiskStore(place.folder, fingerprint="f1", overlay=overlay)
    assert store.get("/about") is None
    assert store.put(stored(body=b"in memory"))
    assert body(store) == b"in memory"
    server = program("redis-server", package="redis-server")
    options = ["--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: overlay._link.breaker.open is False, what="the recovery")
        assert render(store, text=b"shared")
        assert body(store) == b"shared"
        other = place.overlay(url=f"redis://127.0.0.1:{port}/0")
        assert body(DiskStore(place.folder, fingerprint="f1", overlay=other)) == b"shared"
        process.terminate()
        process.wait()
        assert body(store) == b"shared"
        process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
        wait_for(lambda: body(store) is None, what="the notice that the server is empty")
        wait_for(lambda: render(store, text=b"again"), what="the recovery")
        wait_for(lambda: body(store) == b"again", what="the page")
    finally:
        process.terminate()
        process.wait()


def test_a_replica_is_read_and_what_it_refuses_stays_in_memory(
    place: RedisPlace, caplog: pytest.LogCaptureFixture
) -> None:
    store, other = place.open(), place.open()
    assert render(store, text=b"old")
    place.client.replicaof("127.0.0.1", "1")
    try:
        assert body(other) == b"old"
        with store.lease("/about", 1.0) as held:
            assert held
            assert render(store, text=b"new")
        assert body(store) == b"new"
        assert body(other) == b"old"
        store.invalidate_tag("posts", time.time(), block=False)
        assert len(errors(caplog)) == 1
        assert "is a replica" in errors(caplog)[0]
    finally:
        place.client.replicaof("NO", "ONE")
    assert render(store, text=b"newer")
    wait_for(lambda: body(other) == b"newer", what="the notice of the new page")
    wait_for(lambda: other.tag_moment("posts") > 0, what="the notice of the tag")


def test_a_full_server_keeps_what_it_has(place: RedisPlace) -> None:
    store, other = place.open(), place.open()
    assert render(store, text=b"old")
    place.client.config_set("maxmemory", "1")
    try:
        assert body(other) == b"old"
        assert store.put(stored(body=b"new"))
        assert (body(store), body(place.open())) == (b"new", b"old")
    finally:
        place.client.config_set("maxmemory", "0")
    assert render(store, text=b"newer")
    assert body(place.open()) == b"newer"


def test_tags_that_were_invalidated_while_redis_was_away_reach_it_later(
    place: RedisPlace, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.redis_tags.MAX_TAGS", 3)
    healthy = place.open()
    assert render(healthy, tags=("a",))
    store, overlay = behind(place, proxy)
    assert body(store) is not None
    proxy.mode = "reset"
    for number in range(4):
        store.invalidate_tag(f"tag-{number}", time.time(), block=True)
    assert overlay._tags._too_many
    proxy.mode = "pass"
    wait_for(lambda: healthy.look("/about")[1].invalidated, what="the floor below all tags")
    assert render(healthy, tags=("a",))
    assert healthy.look("/about")[1].quiet


def test_a_slow_server_holds_up_no_event_loop(
    place: RedisPlace, proxy: Proxy, tmp_path: Path
) -> None:
    """Whatever is not in this worker's memory is asked for in a thread."""
    store, overlay = behind(place, proxy)
    match = match_of(tmp_path)
    asked: list[str] = []
    see = overlay.see

    def slow(key: str) -> Seen:
        asked.append(threading.current_thread().name)
        return see(key)

    overlay.see = slow  # type: ignore[method-assign]
    regenerator = Regenerator(store, lambda _: Rendered(200, [], stored().holed), wait=5.0)
    shelf = Shelf(store, prepare)
    options = PageOptions(ssg=True)

    async def visit() -> str:
        served = await regenerator.aget(match, options)
        assert served.page is not None
        shelf.put(served.page)
        return served.cache

    assert not store.near(match.key)
    assert asyncio.run(visit()) == "MISS"
    assert asyncio.run(visit()) == "HIT"
    assert store.near(match.key)
    assert shelf.get(match.key, time.time()) is not None
    other = place.open()
    assert render(other, match.key, b"new", pattern=match.route.pattern, listed=False)
    wait_for(lambda: not store.near(match.key), what="the notice of the new page")
    assert shelf.get(match.key, time.time()) is None
    assert asyncio.run(visit()) == "HIT"
    assert all(name.startswith(("asok-look", "asok-render")) for name in asked)
    regenerator.close()
