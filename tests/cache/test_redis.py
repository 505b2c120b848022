"""The Redis store: the contract, its keys, its troubles, and several processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from asok.cache import Cache
from asok.cache.redis import RedisStore
from asok.cache.redis_entry import join_entry, read_entry
from asok.errors import CacheUnavailable, ConfigurationError
from asok.testing.stores import CacheContract
from asok.testing.stores.asking import eventually, together, value_of

from ..services import free_port
from .contract import StoreContract
from .places import RedisPlace
from .proxy import Proxy, proxied


@pytest.fixture
def place(redis_place: RedisPlace) -> RedisPlace:
    return redis_place


class TestRedisStore(StoreContract):
    pass


class TestRedisCache(CacheContract):
    pass


# Keys and entries


def test_flush_removes_its_own_keys_and_no_others(place: RedisPlace) -> None:
    spaces = ["asok::", "asok::a", "asok:a:", "asok:*:", "asok:[a]:", "asok:a.b:", "asok:axb:"]
    stores = {space: RedisStore(place.url, space=place.space + space) for space in spaces}
    place.client.set(place.space + "foreign", "kept")
    for space, store in stores.items():
        for number in range(3):
            store.set(f"v:*?[]\\{number}", space, ttl=60)
        assert store.lease("l") is not None
    for space, store in stores.items():
        store.clear()
        assert value_of(store, "v:*?[]\\1") == "nothing"
        del spaces[0]
        assert all(value_of(stores[other], "v:*?[]\\2") == other for other in spaces), space
        store.close()
    assert place.client.keys(place.space + "*") == [(place.space + "foreign").encode()]
    place.client.delete(place.space + "foreign")


def test_flush_removes_many(place: RedisPlace) -> None:
    store = place.open()
    with place.client.pipeline() as pipe:
        for number in range(2500):
            pipe.set(f"{place.space}:v:{number}", "1")
        pipe.execute()
    assert value_of(store, "7") == 1
    store.clear()
    assert not place.client.keys(f"{place.space}:*")


def test_prefix_and_namespace_keep_caches_apart(redis_url: str) -> None:
    one, two, three = (
        Cache(backend="redis", url=redis_url, prefix=prefix, namespace=namespace)
        for prefix, namespace in (("shop", ""), ("", "shop"), ("shop", "shop"))
    )
    for number, cache in enumerate((one, two, three)):
        cache.set("key", number)
    one.flush()
    assert [cache.get("key") for cache in (one, two, three)] == [None, 1, 2]
    for cache in (two, three, one):
        cache.flush()
        cache.close()


def test_plain_values_are_their_json_text(place: RedisPlace) -> None:
    store = place.open()
    store.set("text", {"a": [1, None]}, ttl=60)
    store.incr("count", 5, ttl=60)
    assert place.client.get(f"{place.space}:v:text") == b'{"a":[1,null]}'
    assert place.client.get(f"{place.space}:v:count") == b"5"
    assert 59_000 < place.client.pttl(f"{place.space}:v:count") <= 60_000


FOREIGN = [b"", b"\x80\x04K\x05.", b"{", b"!", b"!1|[]", b"!x|[]\n1", b"!1|5\n1", b"!1\n1"]


@pytest.mark.parametrize("data", [*FOREIGN, b"!0.000|[]\n{", b'{"$bytes":5}', b"[" * 100_000])
def test_what_this_cache_never_wrote_is_a_miss(place: RedisPlace, data: bytes) -> None:
    store = place.open()
    place.client.set(f"{place.space}:v:key", data)
    assert store.get("key") is None
    assert store.get_many(["key"]) == {}
    assert Cache(store).remember("key", 60, lambda: "healed") == "healed"
    assert value_of(store, "key") == "healed"


def test_an_entry_is_written_and_read_back() -> None:
    data = join_entry(b"[1]", 30.0, (("t", "x"),))
    entry = read_entry(data, lambda: 30_001)
    assert entry is not None
    assert (entry.take(), entry.fresh, entry.tags) == ([1], True, (("t", "x"),))
    for left, fresh in ((30_000, False), (0, False), (-2, False), (-1, True)):
        entry = read_entry(data, lambda left=left: left)
        assert entry is not None
        assert entry.fresh == fresh


def test_a_value_of_another_type_is_trouble_of_that_key_only(place: RedisPlace) -> None:
    store = place.open()
    place.client.rpush(f"{place.space}:v:key", "a list")
    with pytest.raises(CacheUnavailable, match="WRONGTYPE"):
        store.get("key")
    assert store.set("key", 1, ttl=60)
    assert value_of(store, "key") == 1


def test_a_value_that_is_too_large_is_not_stored(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.cache.redis.VALUE_LIMIT", 1000)
    store = place.open()
    store.set("key", "old", ttl=60)
    assert not store.set("key", "x" * 1000, ttl=60)
    assert store.get("key") is None
    assert not store.add("key", "x" * 1000, ttl=60)


# Options


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        RedisStore(url)


def test_without_the_package_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from asok.cache import Cache\nCache(backend='file')\nCache(backend='redis')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ConfigurationError: the cache backend 'redis' needs the package redis" in done.stderr
    assert 'pip install "asok[redis]"' in done.stderr


def test_other_backends_do_not_import_redis() -> None:
    program = (
        "import sys\nfrom asok.cache import Cache\nCache()\nCache(backend='file')\n"
        "assert 'redis' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_unix_socket_and_a_password_work(tmp_path: Path) -> None:
    from ..services import program, wait_until

    path = tmp_path / "redis.sock"
    server = subprocess.Popen(
        [
            *(program("redis-server", package="redis-server"), "--port", "0"),
            *("--unixsocket", str(path), "--requirepass", "secret"),
            *("--save", "", "--dir", str(tmp_path)),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(path.exists, what="the start of redis-server")
        store = RedisStore(f"unix://:secret@{path}")
        assert store.set("key", 1, ttl=60)
        assert value_of(store, "key") == 1
        store.close()
        wrong = RedisStore(f"unix://:wrong@{path}")
        with pytest.raises(CacheUnavailable) as caught:
            wrong.get("key")
        assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
    finally:
        server.terminate()
        server.wait()


# Trouble


@pytest.fixture
def proxy(redis_url: str) -> Generator[Proxy]:
    with proxied(redis_url) as made:
        yield made


@pytest.fixture
def behind(proxy: Proxy) -> Generator[RedisStore]:
    store = RedisStore(proxy.url, space="asok:behind:", timeout=0.3)
    store._link.breaker.pause = 0.05  # pyright: ignore[reportPrivateUsage]
    yield store
    proxy.mode = "pass"
    store.close()


def answers_again(cache: Cache) -> None:
    eventually(lambda: cache.set("again", 1), what="Redis answering again")


@pytest.mark.parametrize("mode", ["hang", "dribble", "reset", "cut"])
@pytest.mark.parametrize("warm", [False, True])
def test_trouble_is_a_miss_within_the_deadline_and_then_at_once(
    proxy: Proxy, behind: RedisStore, mode: str, warm: bool
) -> None:
    cache = Cache(behind)
    if warm:
        assert cache.set("key", "x" * 200)
    proxy.mode = mode
    began, connections = time.monotonic(), proxy.connections
    assert cache.get("key", "miss") == "miss"
    assert time.monotonic() - began < 5, "the documented limit, with 0.3 asked for"
    assert proxy.connections <= connections + 1, "nothing is tried again and again"
    assert behind._link.breaker.open  # pyright: ignore[reportPrivateUsage]
    behind._link.breaker.pause = 600  # pyright: ignore[reportPrivateUsage]
    behind._link.breaker.trip("for the test")  # pyright: ignore[reportPrivateUsage]
    connections = proxy.connections
    assert cache.remember("key", 60, lambda: "computed") == "computed"
    assert not cache.set("key", 1)
    assert not cache.add("key", 1)
    assert cache.incr("key", 3) == 3
    assert cache.get_many(["key"]) == {}
    assert not cache.has("key")
    assert not cache.touch("key")
    assert not cache.forget("key")
    cache.forget_tags("t")
    cache.flush()
    assert asyncio.run(cache.aremember("key", 60, lambda: "computed")) == "computed"
    assert asyncio.run(cache.aget("key")) is None
    assert proxy.connections == connections, "with the breaker open nobody asks Redis"
    behind._link.breaker.pause = 0.05  # pyright: ignore[reportPrivateUsage]
    behind._link.breaker.trip("for the test")  # pyright: ignore[reportPrivateUsage]
    proxy.mode = "pass"
    answers_again(cache)
    assert cache.get("again") == 1


def test_a_server_that_is_down_at_the_start_is_found_when_it_comes(tmp_path: Path) -> None:
    from ..services import program

    port = free_port()
    cache = Cache(backend="redis", url=f"redis://127.0.0.1:{port}/0", timeout=1)
    cache.store._link.breaker.pause = 0.05  # type: ignore[attr-defined]  # pyright: ignore
    assert cache.get("key", "miss") == "miss"
    assert cache.remember("key", 60, lambda: "computed") == "computed"
    server = program("redis-server", package="redis-server")
    options = ["--port", str(port), "--save", "", "--dir", str(tmp_path)]
    first = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    try:
        answers_again(cache)
        assert cache.remember("key", 60, lambda: "stored") == "stored"
        assert cache.get("key") == "stored"
    finally:
        first.terminate()
        first.wait()
    assert cache.get("key", "miss") == "miss"
    second = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    try:
        answers_again(cache)
        assert cache.get("key", "miss") == "miss"
        # A restart between two calls: the dead connection of the pool is noticed.
        second.terminate()
        second.wait()
        second = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
        answers_again(cache)
    finally:
        second.terminate()
        second.wait()
        cache.close()


def test_a_replica_that_refuses_writes_is_a_miss(
    place: RedisPlace, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(place.open())
    assert cache.set("key", "old")
    place.client.replicaof("127.0.0.1", "1")
    try:
        assert not cache.set("key", "new")
        assert cache.get("key") == "old"
        assert cache.remember("other", 60, lambda: "computed") == "computed"
        assert "is a replica" in caplog.text
    finally:
        place.client.replicaof("NO", "ONE")
    assert cache.set("key", "new")
    assert cache.get("key") == "new"


def test_a_full_server_is_a_miss(place: RedisPlace) -> None:
    cache = Cache(place.open())
    cache.set("key", "old")
    place.client.config_set("maxmemory", "1")
    try:
        assert not cache.set("key", "new")
        assert cache.get("key") == "old"
        assert cache.remember("other", 60, lambda: "computed") == "computed"
    finally:
        place.client.config_set("maxmemory", "0")
    assert cache.set("key", "new")


def test_more_threads_than_connections_wait_for_their_turn(place: RedisPlace) -> None:
    store = place.open(connections=2)
    assert sum(together(16, lambda: store.incr("key", 1, ttl=60) > 0)) == 16
    assert value_of(store, "key") == 16


def test_waiting_for_a_connection_is_part_of_the_deadline(proxy: Proxy, redis_url: str) -> None:
    store = RedisStore(proxy.url, timeout=0.2, connections=1)
    store._link.slots.get()  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(CacheUnavailable, match="no connection was free"):
        store.get("key")
    store.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # since 3.12
def test_a_forked_child_has_connections_and_locks_of_its_own(place: RedisPlace) -> None:
    store = place.open(connections=1)
    store.set("key", 1, ttl=60)
    store._link.slots.get()  # pyright: ignore[reportPrivateUsage]
    child = os.fork()
    if not child:
        right = all(store.incr("child", 1, ttl=60) == n + 1 for n in range(20))
        os._exit(0 if right and store.lease("l") is not None else 1)
    _, status = os.waitpid(child, 0)
    store._link.slots.put(None)  # pyright: ignore[reportPrivateUsage]
    assert os.waitstatus_to_exitcode(status) == 0
    assert value_of(store, "child") == 20


def test_a_long_computation_keeps_its_lease(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.redis_link.lease.LEASE_SECONDS", 1.5)
    store, other = place.open(), place.open()
    store._held.renewer.interval = 0.05  # pyright: ignore[reportPrivateUsage]
    lease = store.lease("key")
    assert lease is not None
    for _ in range(3):  # as if almost all of its time had passed, and it was renewed since
        place.client.pexpire(f"{place.space}:l:key", 1000)
        eventually(lambda: place.client.pttl(f"{place.space}:l:key") > 1000, what="the renewal")
    assert other.lease("key") is None
    assert store.set("key", 1, ttl=60, lease=lease)
    again = other.lease("key")
    assert again is not None
    again.release()
