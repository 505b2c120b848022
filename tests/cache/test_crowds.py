"""Many threads of many processes on one cache: nothing torn, nothing lost, nobody fails."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.site import serve, write_site

from asok.cache import Cache

from .places import RedisPlace
from .workers import run, start

#: `cache` of the process; sys.argv: the backend, its place, the number of the process.
OPEN = """
import itertools, random, sys, threading
from asok.cache import Cache
from asok.cache.file import FileStore
from asok.cache.redis import RedisStore
where, space = sys.argv[2].split("|")
cache = Cache(FileStore(where) if sys.argv[1] == "file" else RedisStore(where, space=space))
"""


@pytest.fixture(params=["file", "redis"])
def shared(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Generator[tuple[Cache, tuple[str, str]]]:
    """A cache that processes share, and the arguments by which another one opens it."""
    if request.param == "file":
        folder = str(tmp_path / "cache")
        yield Cache(backend="file", path=folder), ("file", f"{folder}|")
        return
    place = RedisPlace(request.getfixturevalue("redis_url"))
    yield Cache(place.open()), ("redis", f"{place.url}|{place.space}")
    place.close()


def test_sixteen_writers_and_sixteen_readers(shared: tuple[Cache, tuple[str, str]]) -> None:
    cache, where = shared
    seen = run(
        4,
        OPEN
        + """
problems, won, seen, over = [], [], [], threading.Event()
def write(number):
    dice = random.Random(number)
    for turn in range(30):
        length = dice.randrange(6000)
        value = {"length": length, "text": chr(97 + number % 26) * length, "in": [[]]}
        key = f"key{dice.randrange(5)}"
        if turn % 7 == 0:
            cache.forget(key)
        elif turn % 7 == 1:
            cache.forget_tags("t")
        elif turn % 7 == 2:
            cache.remember(key, 60, lambda: value, stale=60, tags=["t"])
        else:
            cache.set(key, value, 60, tags=["t"] if turn % 2 else [])
        cache.incr("count")
        won.append(cache.add(f"once{turn}", number))
def read():
    for turn in itertools.count():
        if over.is_set() and turn >= 60:
            return
        for value in cache.get_many([f"key{turn % 5}", f"key{(turn + 1) % 5}"]).values():
            whole = len(value["text"]) == value["length"] and len(set(value["text"])) < 2
            seen.append(whole and value["in"] == [[]])
            value["in"][0].append("spoilt")
def guarded(call, *arguments):
    try:
        call(*arguments)
    except BaseException as error:
        problems.append(repr(error))
number = int(sys.argv[3])
threads = [threading.Thread(target=guarded, args=(write, 4 * number + n)) for n in range(4)]
threads += [threading.Thread(target=guarded, args=(read,)) for _ in range(4)]
print("ready", flush=True)
input()
[thread.start() for thread in threads]
[thread.join() for thread in threads[:4]]
over.set()
[thread.join() for thread in threads[4:]]
print(problems, cache.stats()["errors"], all(seen), len(seen) > 50, sum(won))
""",
        *where,
    )
    assert [line.rsplit(" ", 1)[0] for line in seen] == ["[] 0 True True"] * 4
    assert sum(int(line.rsplit(" ", 1)[1]) for line in seen) == 30
    assert cache.get("count") == 16 * 30


@pytest.mark.soak
def test_processes_killed_at_any_moment_leave_a_cache_that_works(
    shared: tuple[Cache, tuple[str, str]],
) -> None:
    cache, where = shared
    dice = random.Random(7)
    counted = 0
    for turn in range(40):
        workers = [
            start(
                OPEN
                + """
def compute():
    length = random.randrange(9000)
    return {"length": length, "text": "x" * length}
for turn in itertools.count():
    if turn == 20:
        print("working", flush=True)
    key = f"key{turn % 3}"
    cache.remember(key, random.choice([0.01, 60]), compute, stale=1, tags=["t"])
    cache.set(f"set{turn % 3}", compute(), 60, tags=["t"])
    cache.incr("count")
    if turn % 5 == 0:
        cache.forget(key)
    if turn % 11 == 0:
        cache.forget_tags("t")
    if turn % 97 == 0:
        cache.flush()
""",
                *where,
            )
            for _ in range(2)
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "working\n"
        time.sleep(dice.random() * 0.05)
        for worker in workers:
            worker.kill()
            worker.communicate()
        for number in range(3):
            for value in cache.get_many([f"key{number}", f"set{number}"]).values():
                assert len(value["text"]) == value["length"]
            began = time.monotonic()
            key = f"key{number}"
            cache.forget(key)
            assert cache.remember(key, 60, lambda: {"length": 1, "text": "x"})["length"] == 1
            assert time.monotonic() - began < 5, "a dead process's lease held it up"
            assert cache.has(key), turn
        counted += cache.incr("mine") > 0
    assert counted == 40
    assert cache.stats()["errors"] == 0


@pytest.mark.soak
@pytest.mark.parametrize("backend", ["file", "redis"])
def test_two_hundred_visitors_of_four_workers_are_one_computation(
    tmp_path: Path, redis_url: str, backend: str
) -> None:
    root = write_site(
        tmp_path,
        {
            "src/pages/page.html": "home",
            "src/pages/slow/page.py": """
                import os
                import time
                from asok.cache import cache

                def compute():
                    with open("computed", "a") as file:
                        file.write("x")
                    time.sleep(0.3)
                    return {"answer": 42}

                def get(request):
                    return {"pid": os.getpid(), **cache.remember("slow", 60, compute)}
                """,
        },
    )
    variables = {
        "ASOK_CACHE_BACKEND": backend,
        "REDIS_URL": redis_url,
        "ALLOWED_HOSTS": "localhost",
    }
    with serve(root, "--workers", "4", port=None, **variables) as url:
        time.sleep(3)  # the other workers start after the first has answered

        def visit(_: int) -> httpx.Response:
            return httpx.get(f"{url}/slow", timeout=60)

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(visit, range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["answer"] for answer in answers} == {42}
    assert (root / "computed").read_text() == "x"
    assert len({answer.json()["pid"] for answer in answers}) > 1
