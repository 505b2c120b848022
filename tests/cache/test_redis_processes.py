"""The Redis store among several processes: one computation, and killed leaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from asok.cache import Cache
from asok.redis_link.lease import LEASE_SECONDS
from asok.testing.stores.asking import value_of

from .places import RedisPlace
from .workers import run, start


@pytest.fixture
def place(redis_place: RedisPlace) -> RedisPlace:
    return redis_place


def test_a_miss_over_four_processes_is_one_computation(place: RedisPlace, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    run(
        4,
        """
        import sys, threading, time
        from asok.cache import Cache
        from asok.cache.redis import RedisStore
        cache = Cache(RedisStore(sys.argv[1], space=sys.argv[2]))
        def compute():
            with open(sys.argv[3], "a") as file:
                file.write("x")
            time.sleep(0.1)
            return {"a": 1}
        print("ready", flush=True)
        input()
        def ask():
            assert cache.remember("key", 60, compute) == {"a": 1}
        threads = [threading.Thread(target=ask) for _ in range(50)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        """,
        place.url,
        place.space,
        str(calls),
    )
    assert calls.read_text() == "x"


def test_a_killed_leader_is_replaced(place: RedisPlace) -> None:
    leader = start(
        """
        import sys, time
        from asok.cache import Cache
        from asok.cache.redis import RedisStore
        def hang():
            print("computing", flush=True)
            time.sleep(600)
        Cache(RedisStore(sys.argv[1], space=sys.argv[2])).remember("key", 60, hang)
        """,
        place.url,
        place.space,
    )
    assert leader.stdout is not None
    assert leader.stdout.readline() == "computing\n"
    store = place.open()
    assert store.lease("key") is None
    leader.kill()
    leader.communicate()
    assert store.lease("key") is None, "nobody knows yet"
    place.let_pass(LEASE_SECONDS)
    assert Cache(store).remember("key", 60, lambda: "computed") == "computed"
    assert value_of(store, "key") == "computed"
