"""Get and set of the cache beside its peers, in one run on one core: microseconds and ratios.

    python benchmarks/cache.py [--entries 100000] [--redis redis://…]

Peers that are not installed are left out; to have them all:
    pip install django diskcache dogpile.cache cachetools cachebox
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asok.cache import Cache

#: About 250 bytes of JSON, flat, as a row of a database is.
ROW: dict[str, Any] = {
    "id": 123456,
    "title": "A fairly usual title of a post",
    "slug": "a-fairly-usual-title",
    "views": 4821,
    "rating": 4.75,
    "published": True,
    "author": "Somebody Important",
    "body": "x" * 90,
    "parent": None,
}
TEXT = "x" * 250
#: Rounds of a measurement, and seconds of each.
ROUNDS = 60
SLICE = 0.004

Call = Callable[[], Any]
Peer = Callable[[Path], dict[str, Call]]


def measure(call: Call) -> float:
    """Microseconds a call: the best of many short rounds, which a busy machine disturbs least."""
    number = 1
    while (taken := timed(call, number)) < SLICE / 4:
        number *= 4
    number = max(1, int(number * SLICE / taken))
    return min(timed(call, number) for _ in range(ROUNDS)) / number * 1e6


def timed(call: Call, number: int) -> float:
    """Seconds that some calls take."""
    began = time.perf_counter()
    for _ in range(number):
        call()
    return time.perf_counter() - began


def calls(get: Callable[[str], Any], set_: Callable[[str, Any], Any]) -> dict[str, Call]:
    set_("text", TEXT)
    set_("row", ROW)
    assert get("text") == TEXT
    assert get("row") == ROW
    return {
        "get text": lambda: get("text"),
        "get row": lambda: get("row"),
        "set row": lambda: set_("row", ROW),
    }


def ours(cache: Cache) -> dict[str, Call]:
    made = calls(cache.get, lambda key, value: cache.set(key, value, ttl=600))
    return {**made, "remember": lambda: cache.remember("row", 600, dict)}


def django(backend: str) -> Peer:
    def make(folder: Path) -> dict[str, Call]:
        settings = importlib.import_module("django.conf").settings
        if not settings.configured:
            settings.configure()
        module, _, name = backend.rpartition(".")
        cache = getattr(importlib.import_module(module), name)(str(folder), {})
        return calls(cache.get, lambda key, value: cache.set(key, value, 600))

    return make


def diskcache(folder: Path) -> dict[str, Call]:
    cache = importlib.import_module("diskcache").Cache(str(folder))
    return calls(cache.get, lambda key, value: cache.set(key, value, expire=600))


def dogpile(folder: Path) -> dict[str, Call]:
    make = importlib.import_module("dogpile.cache").make_region
    region = make().configure("dogpile.cache.memory", expiration_time=600)
    made = calls(region.get, region.set)
    return {**made, "remember": lambda: region.get_or_create("row", dict)}


def cachetools(folder: Path) -> dict[str, Call]:
    cache = importlib.import_module("cachetools").TTLCache(10_000, 600)
    return calls(cache.get, cache.__setitem__)


def cachebox(folder: Path) -> dict[str, Call]:
    cache = importlib.import_module("cachebox").TTLCache(10_000, 600)
    return calls(cache.get, cache.insert)


def bare_redis(url: str) -> Peer:
    def make(folder: Path) -> dict[str, Call]:
        client = importlib.import_module("redis").Redis.from_url(url)
        text = TEXT.encode()
        client.set("text", text)
        return {
            "get text": lambda: client.get("text"),
            "get row": lambda: client.get("text"),
            "set row": lambda: client.set("text", text, px=600_000),
        }

    return make


def table(title: str, rows: dict[str, Peer]) -> None:
    print(f"\n{title:34}{'get text':>10}{'get row':>10}{'set row':>10}{'remember':>10}   µs")
    first: dict[str, float] = {}
    for name, make in rows.items():
        folder = Path(tempfile.mkdtemp())
        try:
            found = make(folder)
        except ImportError as error:
            print(f"{name:34}left out: {error}")
            continue
        else:
            times = {what: measure(call) for what, call in found.items()}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        first = first or times
        cells = [
            f"{times[what]:10.2f}" if what in times else f"{'-':>10}"
            for what in ("get text", "get row", "set row", "remember")
        ]
        ratio = f"{times['get row'] / first['get row']:.1f} × get, "
        ratio += f"{times['set row'] / first['set row']:.1f} × set"
        print(f"{name:34}{''.join(cells)}   {ratio}")


def plain_read(path: str) -> bytes:
    """What the operating system takes of a get."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.read(handle, 65536)
    finally:
        os.close(handle)


def flat(entries: int) -> None:
    """The file store with few and many entries, a different one each time.

    `its files` is opening, reading and closing the same files: with many, the operating
    system's own caches decide.
    """
    print(
        f"\n{'file, by number of entries':34}{'get':>10}{'its files':>10}{'set':>10}{'new key':>10}"
    )
    for count in (100, entries):
        folder = Path(tempfile.mkdtemp())
        try:
            cache = Cache(backend="file", path=folder, max_entries=2 * entries)
            for number in range(count):
                cache.set(f"key{number}", ROW, ttl=600)
            turn = 0

            def step(count: int = count) -> str:
                nonlocal turn
                turn = (turn + 7919) % count
                return f"key{turn}"

            get = measure(lambda cache=cache, step=step: cache.get(step()))
            paths = [str(path) for path in folder.rglob("*.json")]
            floor = measure(lambda paths=paths, step=step: plain_read(paths[int(step()[3:])]))
            set_ = measure(lambda cache=cache, step=step: cache.set(step(), ROW, ttl=600))
            began = time.perf_counter()
            for number in range(1000):
                cache.set(f"new{number}", ROW, ttl=600)
            new = (time.perf_counter() - began) * 1000
            print(f"{count:<34,}{get:10.2f}{floor:10.2f}{set_:10.2f}{new:10.2f}")
            cache.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def with_redis(url: str) -> None:
    def make(folder: Path) -> dict[str, Call]:
        return ours(Cache(backend="redis", url=url, namespace="benchmark"))

    table("redis", {"asok redis": make, "redis-py, bytes only": bare_redis(url)})
    Cache(backend="redis", url=url, namespace="benchmark").flush()


def own_redis() -> None:
    """The same with a server of our own, where there is one to start."""
    server = shutil.which("redis-server")
    if server is None:
        print("\nredis: left out, redis-server is not installed")
        return
    folder = tempfile.mkdtemp()
    socket = f"{folder}/redis.sock"
    options = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(socket):
            time.sleep(0.05)
        with_redis(f"unix://{socket}")
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--redis", help="the URL of a server to use; else one is started")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    table(
        "memory",
        {
            "asok memory": lambda _: ours(Cache()),
            "cachebox TTLCache (no isolation)": cachebox,
            "cachetools TTLCache (no isolation)": cachetools,
            "dogpile memory (no isolation)": dogpile,
            "django locmem (pickle)": django("django.core.cache.backends.locmem.LocMemCache"),
        },
    )
    table(
        "file",
        {
            "asok file": lambda folder: ours(Cache(backend="file", path=folder)),
            "diskcache (SQLite, pickle)": diskcache,
            "django file (pickle)": django("django.core.cache.backends.filebased.FileBasedCache"),
        },
    )
    flat(options.entries)
    if options.redis:
        with_redis(options.redis)
    else:
        own_redis()


if __name__ == "__main__":
    main()
