"""Get and set of the cache beside its peers, in one run on one core: microseconds and ratios.

    python benchmarks/cache.py [--entries 100000] [--redis redis://…]

Each round goes through all peers, so that what else the machine does meets all of them alike.
Peers that are not installed are left out; to have them all: pip install 'asok[bench]'
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import os
import shutil
import socket
import statistics
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

LOOP = asyncio.new_event_loop()
#: Folders to remove at the end: on ext4 making files is many times slower for a minute after
#: many were removed.
FOLDERS: list[Path] = []


def folder() -> Path:
    """A new folder."""
    FOLDERS.append(Path(tempfile.mkdtemp()))
    return FOLDERS[-1]


def timed(call: Call, number: int) -> float:
    """Seconds that some calls take; those of a coroutine function in one task."""
    if inspect.iscoroutinefunction(call):
        return LOOP.run_until_complete(timed_async(call, number))
    began = time.perf_counter()
    for _ in range(number):
        call()
    return time.perf_counter() - began


async def timed_async(call: Callable[[], Any], number: int) -> float:
    began = time.perf_counter()
    for _ in range(number):
        await call()
    return time.perf_counter() - began


def measure(*several: Call) -> list[float]:
    """Microseconds of each call: the best of many short rounds, which go through all of them."""
    numbers: list[int] = []
    for call in several:
        number = 1
        # The quickest of three: after a stall here each round would be a single cold call.
        while (taken := min(timed(call, number) for _ in range(3))) < SLICE / 4:
            number *= 4
        numbers.append(max(1, int(number * SLICE / taken)))
    best = [float("inf")] * len(several)
    for _ in range(ROUNDS):
        for at, (call, number) in enumerate(zip(several, numbers, strict=True)):
            best[at] = min(best[at], timed(call, number) / number * 1e6)
    return best


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


def async_calls(get: Callable[[str], Any], set_: Callable[[str, Any], Any]) -> dict[str, Call]:
    """The same of a cache whose methods are coroutine functions."""

    async def begin() -> None:
        await set_("text", TEXT)
        await set_("row", ROW)
        assert await get("text") == TEXT
        assert await get("row") == ROW

    async def text() -> Any:
        return await get("text")

    async def row() -> Any:
        return await get("row")

    async def store() -> Any:
        return await set_("row", ROW)

    LOOP.run_until_complete(begin())
    return {"get text": text, "get row": row, "set row": store}


def ours(cache: Cache) -> dict[str, Call]:
    made = calls(cache.get, lambda key, value: cache.set(key, value, ttl=600))
    return {**made, "remember": lambda: cache.remember("row", 600, dict)}


def ours_async(cache: Cache) -> dict[str, Call]:
    return async_calls(cache.aget, lambda key, value: cache.aset(key, value, ttl=600))


def cashews(url: str) -> Peer:
    def make(_: Path) -> dict[str, Call]:
        cache = importlib.import_module("cashews").Cache()
        cache.setup(url)
        return async_calls(cache.get, lambda key, value: cache.set(key, value, expire=600))

    return make


def django(backend: str, where: str = "") -> Peer:
    def make(folder: Path) -> dict[str, Call]:
        settings = importlib.import_module("django.conf").settings
        if not settings.configured:
            settings.configure()
        module, _, name = backend.rpartition(".")
        cache = getattr(importlib.import_module(module), name)(where or str(folder), {})
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


def dogpile_redis(url: str) -> Peer:
    def make(_: Path) -> dict[str, Call]:
        region = (
            importlib.import_module("dogpile.cache")
            .make_region(key_mangler="dogpile:{}".format)
            .configure("dogpile.cache.redis", expiration_time=600, arguments={"url": url})
        )
        return calls(region.get, region.set)

    return make


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
        client.set("bare", text)
        return {
            "get text": lambda: client.get("bare"),
            "get row": lambda: client.get("bare"),
            "set row": lambda: client.set("bare", text, px=600_000),
        }

    return make


COLUMNS = ("get text", "get row", "set row", "remember")


def table(title: str, rows: dict[str, Peer], floor: str | None = None) -> None:
    """Print what each peer takes, and its ratio to the first row (and to the row `floor`)."""
    print(f"\n{title:34}" + "".join(f"{what:>10}" for what in COLUMNS) + "   µs")
    made: dict[tuple[str, str], Call] = {}
    left_out: dict[str, ImportError] = {}
    for name, make in rows.items():
        try:
            made.update({(name, what): call for what, call in make(folder()).items()})
        except ImportError as error:
            left_out[name] = error
    times = dict(zip(made, measure(*made.values()), strict=True))
    first = next(iter(rows))
    for name in rows:
        if name in left_out:
            print(f"{name:34}left out: {left_out[name]}")
            continue
        cells = [
            f"{times[name, what]:10.2f}" if (name, what) in times else f"{'-':>10}"
            for what in COLUMNS
        ]
        ratios = [
            f"{times[name, what] / times[first, what]:.1f} × {what.split()[0]}"
            for what in ("get row", "set row")
        ]
        print(f"{name:34}{''.join(cells)}   {', '.join(ratios)}")
    if floor is not None:
        ratios = [f"{what} {times[first, what] / times[floor, what]:.2f} ×" for what in COLUMNS[:3]]
        print(f"{first} of {floor}: {', '.join(ratios)}")


def plain_read(path: str) -> bytes:
    """What the operating system takes of a get."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.read(handle, 65536)
    finally:
        os.close(handle)


class Many:
    """A cache with `count` entries, of which a different one is asked for each time."""

    def __init__(
        self, count: int, get: Callable[[str], Any], set_: Callable[[str, Any], Any]
    ) -> None:
        self.count, self.turn, self.new = count, 0, 0
        self._get, self._set = get, set_
        for number in range(count):
            set_(f"key{number}", ROW)

    def step(self) -> int:
        self.turn = (self.turn + 7919) % self.count
        return self.turn

    def get(self) -> Any:
        return self._get(f"key{self.step()}")

    def set(self) -> Any:
        return self._set(f"key{self.step()}", ROW)

    def new_keys(self, number: int = 50) -> float:
        """Microseconds of the processor for a set under a key that was never used."""
        began = time.process_time()
        for _ in range(number):
            self.new += 1
            self._set(f"new{self.new}", ROW)
        return (time.process_time() - began) / number * 1e6


def new_keys(*several: Many) -> list[float]:
    """The same for each: the median of rounds that go through all of them."""
    rounds = [[many.new_keys() for many in several] for _ in range(20)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def plain_new(folder: Path) -> Many:
    """What the file system takes of a new entry: a file under another name, and a rename.

    On ext4 that is ten times as much for some minutes after many files were removed.
    """

    def store(key: str, _: Any) -> None:
        name = str(folder / key)
        handle = os.open(name + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, b"x" * 400)
        os.close(handle)
        os.rename(name + ".new", name)

    return Many(0, str, store)


def flat(entries: int) -> None:
    """Caches on a disk with few and many entries.

    `plain files` is opening, reading and closing the files that the cache made: with many of
    them the operating system's own caches decide; a new key of theirs is `plain_new`. What a
    cache takes in times of that is printed last, as both depend on the state of the file system.
    """
    heads = "".join(f"{head:>10}" for head in ("get", "set", "new key", "get ×", "new ×"))
    print(f"\n{'on a disk, by number of entries':34}{heads}   µs, and times of plain files")
    for count in (100, entries):
        place = folder()
        ours = Cache(backend="file", path=place, max_entries=2 * entries)
        found = {
            "asok file": Many(count, ours.get, lambda key, row, ours=ours: ours.set(key, row, 600))
        }
        try:
            theirs = importlib.import_module("diskcache").Cache(str(folder()))
        except ImportError as error:
            print(f"diskcache: left out: {error}")
        else:
            found["diskcache"] = Many(
                count,
                theirs.get,
                lambda key, row, theirs=theirs: theirs.set(key, row, expire=600),
            )
        paths = [str(path) for path in place.rglob("*.json")]
        floor = Many(0, str, lambda key, value: None)
        floor.count = count
        calls = [call for many in found.values() for call in (many.get, many.set)]
        taken = measure(lambda: plain_read(paths[floor.step()]), *calls)  # noqa: B023
        plain, *new = new_keys(plain_new(folder()), *found.values())
        print(f"{f'{count:,}: plain files':34}{taken[0]:10.2f}{'-':>10}{plain:10.2f}")
        for at, name in enumerate(found):
            get, set_ = taken[1 + 2 * at : 3 + 2 * at]
            ratios = f"{get / taken[0]:10.2f}{new[at] / plain:10.2f}"
            print(f"{f'{count:,}: {name}':34}{get:10.2f}{set_:10.2f}{new[at]:10.2f}{ratios}")
        ours.close()


def with_redis(url: str) -> None:
    def make(_: Path) -> dict[str, Call]:
        return ours(Cache(backend="redis", url=url, namespace="benchmark"))

    rows = {
        "asok redis": make,
        "redis-py, bytes only": bare_redis(url),
        "django redis (pickle)": django("django.core.cache.backends.redis.RedisCache", url),
        "dogpile redis (pickle)": dogpile_redis(url),
    }
    if url.startswith("redis"):  # it takes no Unix socket
        rows["cashews redis (async, pickle)"] = cashews(url)
    table("redis", rows, floor="redis-py, bytes only")
    Cache(backend="redis", url=url, namespace="benchmark").flush()


def own_redis() -> None:
    """The same with a server of our own, where there is one to start."""
    server = shutil.which("redis-server")
    if server is None:
        print("\nredis: left out, redis-server is not installed")
        return
    where = str(folder())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", where]
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        with_redis(f"redis://127.0.0.1:{port}/0")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--redis", help="the URL of a server to use; else one is started")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        table(
            "memory",
            {
                "asok memory": lambda _: ours(Cache()),
                "asok memory, aget and aset": lambda _: ours_async(Cache()),
                "cachebox TTLCache (no isolation)": cachebox,
                "cachetools TTLCache (no isolation)": cachetools,
                "dogpile memory (no isolation)": dogpile,
                "cashews memory (async)": cashews("mem://"),
                "django locmem (pickle)": django("django.core.cache.backends.locmem.LocMemCache"),
            },
        )
        table(
            "file",
            {
                "asok file": lambda folder: ours(Cache(backend="file", path=folder)),
                "diskcache (SQLite, pickle)": diskcache,
                "django file (pickle)": django(
                    "django.core.cache.backends.filebased.FileBasedCache"
                ),
            },
        )
        flat(options.entries)
        if options.redis:
            with_redis(options.redis)
        else:
            own_redis()
    finally:
        for task in asyncio.all_tasks(LOOP):
            task.cancel()
        LOOP.run_until_complete(asyncio.sleep(0))
        LOOP.close()
        for used in FOLDERS:
            shutil.rmtree(used, ignore_errors=True)


if __name__ == "__main__":
    main()
