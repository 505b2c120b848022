"""A site and its cache while Redis is down, hangs, is slow, ends connections, or starts again."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import backends
from asok.cache import Cache
from asok.cache.redis import RedisStore
from asok.testing.stores.asking import eventually

from ..services import free_port, program
from .proxy import Proxy, proxied

SITE = {
    "src/pages/page.html": "home",
    "src/pages/cached/page.py": """
        from asok.cache import cache, cache_page

        @cache_page(ttl=60)
        def get(request):
            value = cache.remember("answer", 60, lambda: 42, stale=60, tags=["answers"])
            cache.incr("visits")
            return request.html("cached.html", value=value)
        """,
    "src/pages/cached/cached.html": '{% cache "part" 60 %}<p>{{ value }}</p>{% endcache %}',
}


@contextmanager
def load(cache: Cache) -> Generator[list[float]]:
    """Ask a cache from six threads until the block ends; yields the seconds of each call."""
    over, times, wrong = threading.Event(), list[float](), list[object]()

    def check(what: str, ask: Callable[[], Any], *right: Any) -> None:
        began = time.monotonic()
        found = ask()
        times.append(time.monotonic() - began)
        if found not in right:
            wrong.append((what, found))

    def work(number: int) -> None:
        turn = 0
        try:
            while not over.is_set():
                turn += 1
                key = f"key{turn % 5}"
                value = {"of": key, "text": key * 200}
                check("remember", lambda: cache.remember(key, 60, lambda: value), value)  # noqa: B023
                check("get", lambda: cache.get(key, "miss"), value, "miss")  # noqa: B023
                check("set", lambda: cache.set(key, value, 60), True, False)  # noqa: B023
                many = cache.get_many([f"key{n}" for n in range(5)])
                check("many", lambda: all(v["of"] == k for k, v in many.items()), True)  # noqa: B023
                cache.incr("count")
                if turn % 5 == number % 5:
                    cache.forget(key)
        except BaseException as error:
            wrong.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        yield times
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.fixture
def proxy(redis_url: str) -> Generator[Proxy]:
    with proxied(redis_url) as made:
        yield made


def test_a_server_with_moods_under_load(proxy: Proxy) -> None:
    store = RedisStore(proxy.url, space="asok:moods:", timeout=0.3, connections=4)
    store._link.breaker.pause = 0.02
    cache = Cache(store)
    with load(cache) as times:
        for mode in ("hang", "dribble", "reset", "cut"):
            proxy.mode = "pass"
            hits = cache.stats()["hits"]
            eventually(lambda hits=hits: cache.stats()["hits"] > hits + 20, what=f"{mode}: hits")
            errors = cache.stats()["errors"]
            proxy.mode = mode
            eventually(
                lambda errors=errors: cache.stats()["errors"] > errors + 20, what=f"{mode}: errors"
            )
        proxy.mode = "pass"
        eventually(lambda: cache.set("well", 1), what="Redis answering again")
    assert max(times) < 5, "the documented limit; six threads of 0.3 s each share two cores"
    eventually(lambda: cache.set("calm", 1) and cache.get("calm") == 1, what="calm")
    cache.flush()
    cache.close()


def test_a_server_that_is_killed_and_starts_again_under_load(tmp_path: Path) -> None:
    server = program("redis-server", package="redis-server")
    port = free_port()
    options = ["--port", str(port), "--save", "", "--dir", str(tmp_path)]
    cache = Cache(backend="redis", url=f"redis://127.0.0.1:{port}/0", timeout=1)
    cache.store._link.breaker.pause = 0.02  # type: ignore[attr-defined]  # pyright: ignore
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    try:
        with load(cache) as times:
            for turn in range(3):
                hits = cache.stats()["hits"]
                eventually(lambda hits=hits: cache.stats()["hits"] > hits + 20, what="hits")
                errors = cache.stats()["errors"]
                process.kill()
                process.wait()
                eventually(lambda errors=errors: cache.stats()["errors"] > errors, what="errors")
                process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
                eventually(lambda turn=turn: cache.set("well", turn), what="the new server")
        assert max(times) < 5
    finally:
        process.kill()
        process.wait()
        cache.close()


@pytest.mark.parametrize("mode", ["down", "hang", "dribble", "reset", "cut"])
def test_a_site_answers_while_its_redis_does_not(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    with proxied(redis_url) as proxy:
        url = f"redis://127.0.0.1:{free_port()}/0" if mode == "down" else proxy.url
        root = write_site(tmp_path, SITE)
        impatient = Cache(backend="redis", url=url, timeout=0.3)
        monkeypatch.setattr(backends, "cache", lambda _: impatient)
        app = load_site(root, cache_backend="redis", redis_url=url)
        link = app.cache.store._link  # type: ignore[attr-defined]  # pyright: ignore
        with TestClient(app, base_url="http://localhost") as visitor:
            if mode != "down":
                assert visitor.get("/cached").text.count("<p>42</p>") == 1
                app.cache.flush()
                proxy.mode = mode
            for turn in range(3):
                began = time.monotonic()
                answer = visitor.get("/cached")
                assert (answer.status_code, "<p>42</p>" in answer.text) == (200, True)
                assert time.monotonic() - began < 5, turn
            assert app.cache.stats()["errors"]
            proxy.mode = "pass"
            if mode != "down":
                link.breaker.pause = 0.02
                link.breaker.trip("for the test")
                eventually(lambda: app.cache.set("well", 1), what="Redis answering again")

                def is_kept() -> bool:
                    return "hit" in visitor.get("/cached").headers["cache-status"]

                eventually(is_kept, what="a page from the cache")
                app.cache.flush()
