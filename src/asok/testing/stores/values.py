"""What goes into a store comes out of it: values, and the keys that tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asok.cache.api import Store
from asok.errors import CacheValueError
from asok.testing.stores.asking import value_of
from asok.testing.stores.place import StorePlace
from asok.testing.stores.samples import KEYS, REFUSED, STORED, label, same

__all__ = ["ValueContract"]


class ValueContract:
    """A part of `CacheStoreContract`."""

    @pytest.fixture
    def store(self, place: StorePlace) -> Store:
        return place.open()

    # Values

    @pytest.mark.parametrize("value", STORED, ids=label)
    def test_gives_back_what_was_stored(self, store: Store, value: Any) -> None:
        assert store.set("key", value, ttl=None)
        assert same(value_of(store, "key"), value)

    @pytest.mark.parametrize(("value", "said"), REFUSED, ids=label)
    def test_refuses_other_types_and_names_them(self, store: Store, value: Any, said: str) -> None:
        store.set("key", "old", ttl=None)
        with pytest.raises(CacheValueError) as caught:
            store.set("key", value, ttl=60)
        assert said in str(caught.value)
        assert value_of(store, "key") == "old"
        with pytest.raises(CacheValueError):
            store.add("other", value, ttl=60)

    def test_refuses_a_value_that_holds_itself(self, store: Store) -> None:
        value: list[Any] = []
        value.append(value)
        with pytest.raises(CacheValueError, match="holds itself"):
            store.set("key", value, ttl=60)

    def test_refuses_a_value_that_lies_too_deep(self, store: Store) -> None:
        value: Any = ()
        for _ in range(63):
            value = (value,)
        assert store.set("key", value, ttl=60)
        assert same(value_of(store, "key"), value)
        with pytest.raises(CacheValueError, match="64 containers deep"):
            store.set("key", (value,), ttl=60)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: {"a": 1},
            lambda: [1, 2],
            lambda: {1, 2},
            lambda: {"a": [1, {"b": 2}]},
            lambda: (1, [2]),
        ],
    )
    def test_no_change_of_a_value_reaches_the_store(
        self, store: Store, make: Callable[[], Any]
    ) -> None:
        def spoil(value: Any) -> None:
            if isinstance(value, dict):
                for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
                    spoil(inner)
                value["spoilt"] = True
            elif isinstance(value, list):
                for inner in value:  # pyright: ignore[reportUnknownVariableType]
                    spoil(inner)
                value.append("spoilt")  # pyright: ignore[reportUnknownMemberType]
            elif isinstance(value, tuple):
                for inner in value:  # pyright: ignore[reportUnknownVariableType]
                    spoil(inner)
            elif isinstance(value, set):
                value.add("spoilt")  # pyright: ignore[reportUnknownMemberType]

        given = make()
        store.set("key", given, ttl=60)
        spoil(given)
        spoil(value_of(store, "key"))
        assert value_of(store, "key") == make()

    # Keys

    def test_different_keys_never_meet(self, store: Store) -> None:
        for number, key in enumerate(KEYS):
            store.set(key, number, ttl=60)
        assert [value_of(store, key) for key in KEYS] == list(range(len(KEYS)))
        assert {k: e.take() for k, e in store.get_many(KEYS).items()} == {
            key: number for number, key in enumerate(KEYS)
        }
        for key in KEYS[::2]:
            assert store.delete(key)
        assert [value_of(store, key) for key in KEYS[1::2]] == list(range(1, len(KEYS), 2))

    def test_finds_nothing_under_a_key_that_was_never_set(self, store: Store) -> None:
        assert store.get("key") is None
        assert store.get_many(["key", "other"]) == {}
        assert store.get_many([]) == {}
        assert not store.delete("key")
        assert not store.touch("key", 60)
