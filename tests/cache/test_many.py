"""Several values at once, over each store: all or none, and one question to a server."""

from __future__ import annotations

from typing import Any

import pytest

from asok.cache import Cache
from asok.errors import CacheKeyError, CacheValueError

from .places import Place, RedisPlace
from .test_region import Failing


@pytest.fixture
def cache(any_place: Place) -> Cache:
    return Cache(any_place.open())


def test_many_are_set_and_removed_with_what_a_single_one_does(
    cache: Cache, any_place: Place
) -> None:
    lease = cache.store.lease("a")
    assert lease is not None
    assert cache.set_many({"a": 1, "b": (2, [3]), "c": None}, ttl=60, tags=["t"]) == 3
    assert not cache.store.set("a", "begun before", ttl=60, lease=lease)
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": (2, [3]), "c": None}
    cache.forget_tags("t")
    assert cache.get_many(["a", "b", "c"]) == {}
    assert cache.set_many({"a": 1, "b": 2}) == 2
    lease = cache.store.lease("d")
    assert lease is not None
    assert cache.forget_many(iter(["a", "a", "d"])) == 1
    assert not cache.store.set("d", "begun before", ttl=60, lease=lease)
    assert cache.get_many(["a", "b", "d"]) == {"b": 2}
    assert cache.set_many({"b": 3, "e": 4}, ttl=0) == 0
    assert not cache.has("b")
    cache.set_many({"late": 1}, ttl=10)
    any_place.let_pass(11)
    assert cache.forget_many(["late"]) == 0
    assert (cache.set_many({}), cache.get_many([]), cache.forget_many([])) == (0, {}, 0)


def test_none_of_many_is_stored_where_one_is_refused(cache: Cache) -> None:
    with pytest.raises(CacheValueError, match="object"):
        cache.set_many({"a": 1, "b": object()})
    with pytest.raises(CacheKeyError):
        cache.set_many({"a": 1, "": 2})
    with pytest.raises(CacheKeyError):
        cache.forget_many(["a", ""])
    assert not cache.has("a")


def test_what_is_too_large_among_many_is_left_out(
    any_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = isinstance(any_place, RedisPlace)
    monkeypatch.setattr("asok.cache.redis.VALUE_LIMIT", 10_000)
    cache = Cache(any_place.open(**({} if redis else {"max_bytes": 80_000})))
    cache.set("large", "old")
    assert cache.set_many({"small": 1, "large": "x" * 20_000}) == 1
    assert cache.get_many(["small", "large"]) == {"small": 1}


def test_many_ask_redis_once(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = RedisPlace(redis_url)
    cache = Cache(place.open())
    cache.set("warm", 1)
    cache.forget("warm")  # the scripts are known to the server from now on
    sent: list[Any] = []
    connection = place.client.connection_pool.connection_class
    real = connection.send_packed_command

    def send(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(command)
        return real(self, command, *args, **kwargs)

    monkeypatch.setattr("redis.connection.AbstractConnection.send_packed_command", send)
    values = {f"key{number}": number for number in range(200)}
    asked: list[int] = []
    for ask in (
        lambda: cache.set_many(values, 60),
        lambda: cache.get_many(values),
        lambda: cache.forget_many(values),
    ):
        sent.clear()
        ask()
        asked.append(len(sent))
    assert asked == [1, 1, 1]
    cache.store.set_many(values, ttl=60, tags=(("t", "gone"),))
    sent.clear()
    assert len(cache.store.get_many([*values])) == 200
    assert len(sent) == 2, "what has more than a value is asked for its time, all of it at once"
    monkeypatch.setattr("asok.cache.redis._TOGETHER", 30)
    assert cache.set_many(values, 60) == 200
    assert cache.forget_many(values) == 200
    place.close()


def test_trouble_is_none_of_many() -> None:
    store = Failing("set_many", "delete_many")
    cache = Cache(store)
    assert (cache.set_many({"a": 1}), cache.forget_many(["a"])) == (0, 0)
    assert cache.stats()["errors"] == 2
