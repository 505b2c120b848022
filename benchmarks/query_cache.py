"""A cached query beside the query itself on SQLite, in one run on one core: microseconds, ratios.

    python benchmarks/query_cache.py [--rows 100000] [--backend memory|file|redis --redis redis://…]

The queries are the documented one (the ten most viewed of many posts), one row, and a count, in
a request's scope and outside of one. Exits with 1 where a hit in memory is not at least 10 times
as fast.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from asok.cache import Cache
from asok.models import Database, Mapped, Model, Timestamps, configure, field, scope

#: Ratio that a hit in memory has to reach.
REACH = 10.0
#: Rounds of a measurement, and seconds of each; the best round counts.
ROUNDS = 40
SLICE = 0.005


class Post(Timestamps, Model):
    title: Mapped[str] = field(max_length=200)
    slug: Mapped[str] = field(unique=True)
    views: Mapped[int] = field(default=0)


def fill(database: Database, rows: int) -> None:
    database.create_tables()
    with database.connect() as connection:
        made = [
            {"title": f"Post {n}", "slug": f"post-{n}", "views": n * 7919 % rows}
            for n in range(rows)
        ]
        connection.execute(insert(Post.__table__), made)  # type: ignore[arg-type]


async def measure(*calls: Callable[[], Any]) -> list[float]:
    """Microseconds of each call, in turns: the best of many short rounds of each.

    A machine that is busy for a while then disturbs all of them alike.
    """
    best, numbers = [float("inf")] * len(calls), [1] * len(calls)
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            waits = inspect.iscoroutinefunction(call)
            began = time.perf_counter()
            for _ in range(numbers[place]):
                if waits:
                    await call()
                else:
                    call()
            best[place] = min(best[place], (time.perf_counter() - began) / numbers[place])
            numbers[place] = max(1, int(SLICE / best[place]))
    return [seconds * 1e6 for seconds in best]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--backend", default="memory", choices=("memory", "file", "redis"))
    options.add_argument("--redis", default="redis://127.0.0.1:6379/0")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        url = given.redis if given.backend == "redis" else None
        cache = Cache(given.backend, path=folder / "cache", url=url, prefix="bench")
        return compare(folder, cache, given.rows, given.backend)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, cache: Cache, rows: int, backend: str) -> int:
    database = Database(f"sqlite:///{folder}/db.sqlite3")
    fill(database, rows)
    configure(database, cache=cache)
    plain = Post.query().order_by("-views").limit(10)
    found = Post.where("slug", "post-17")
    counted = Post.where("views", ">", rows // 2)
    print(f"{rows:,} posts in SQLite, cache in {backend}: microseconds a call\n")
    print(f"{'':44}{'query':>10}{'hit':>10}{'ratio':>9}")
    ratios: list[float] = []
    scopes: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "in a scope": scope,
        "without a scope": nullcontext,
    }
    for where, opened in scopes.items():
        for name, ask, cached in (
            ("10 of all by views, get()", plain.get, plain.cache(300).get),
            ("by a unique column, first()", found.first, found.cache(300).first),
            ("count() of half", counted.count, counted.cache(300).count),
        ):
            with opened():
                ratios.append(line(f"{name}, {where}", *asyncio.run(measure(ask, cached))))

    with scope():
        asked = asyncio.run(measure(plain.aget, plain.cache(300).aget))
        line("10 of all by views, await aget()", *asked)
    configure(None)
    database.dispose()
    least = min(ratios)
    print(f"\na hit is {least:.1f} times as fast as its query, or more (at least {REACH:g})")
    return 0 if least >= REACH or backend != "memory" else 1


def line(name: str, query: float, hit: float) -> float:
    print(f"{name:44}{query:10.1f}{hit:10.1f}{query / hit:8.1f}x", flush=True)
    return query / hit


if __name__ == "__main__":
    sys.exit(main())
