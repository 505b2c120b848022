"""The contract of a store: what `asok.cache.Store` says, as tests."""

from __future__ import annotations

from typing import Any

import pytest

from asok.cache.api import Store
from asok.errors import CacheValueError
from asok.testing.stores.asking import together, value_of
from asok.testing.stores.place import StorePlace
from asok.testing.stores.samples import label, same
from asok.testing.stores.values import ValueContract

__all__ = ["CacheStoreContract"]


class CacheStoreContract(ValueContract):
    """What every store does alike. Subclass it beside a fixture `place`: a `StorePlace`."""

    # Time

    def test_an_entry_ends_with_its_time_to_live(self, store: Store, place: StorePlace) -> None:
        store.set("short", 1, ttl=10)
        store.set("fraction", 1, ttl=0.0001)
        store.set("long", 1, ttl=1000)
        store.set("ever", 1, ttl=None)
        place.let_pass(9)
        assert value_of(store, "short") == 1
        place.let_pass(2)
        assert store.get("short") is None
        assert store.get("fraction") is None
        assert value_of(store, "long") == 1
        place.let_pass(10_000_000)
        assert store.get("long") is None
        assert value_of(store, "ever") == 1

    def test_set_begins_a_new_time(self, store: Store, place: StorePlace) -> None:
        store.set("key", 1, ttl=10)
        place.let_pass(6)
        store.set("key", 2, ttl=10)
        place.let_pass(6)
        assert value_of(store, "key") == 2
        store.set("key", 3, ttl=None)
        place.let_pass(60)
        assert value_of(store, "key") == 3

    def test_an_entry_is_stale_in_its_grace_and_gone_after(
        self, store: Store, place: StorePlace
    ) -> None:
        store.set("key", [1], ttl=10, stale=20)
        entry = store.get("key")
        assert entry is not None
        assert entry.fresh
        place.let_pass(15)
        entry = store.get("key")
        assert entry is not None
        assert not entry.fresh
        assert not entry.plain
        assert entry.take() == [1]
        assert [e.fresh for e in store.get_many(["key"]).values()] == [False]
        place.let_pass(20)
        assert store.get("key") is None

    def test_touch_gives_a_new_time_and_keeps_the_grace(
        self, store: Store, place: StorePlace
    ) -> None:
        store.set("key", {"a": [1]}, ttl=10, stale=20, tags=(("t", "1"),))
        place.let_pass(9)
        assert store.touch("key", 10)
        place.let_pass(9)
        assert value_of(store, "key") == {"a": [1]}
        place.let_pass(15)
        entry = store.get("key")
        assert entry is not None
        assert (entry.fresh, entry.tags) == (False, (("t", "1"),))
        assert not store.touch("key", 10)
        store.set("key", 1, ttl=10)
        assert store.touch("key", None)
        place.let_pass(100)
        assert value_of(store, "key") == 1
        assert store.touch("key", 10)
        place.let_pass(11)
        assert store.get("key") is None

    # Several at once

    def test_add_stores_where_nothing_is(self, store: Store, place: StorePlace) -> None:
        assert store.add("key", None, ttl=10)
        assert not store.add("key", 2, ttl=10)
        assert value_of(store, "key") is None
        place.let_pass(11)
        assert store.add("key", 3, ttl=None)
        assert not store.add("key", 4, ttl=None)
        assert value_of(store, "key") == 3

    def test_add_takes_the_place_of_a_stale_entry(self, store: Store, place: StorePlace) -> None:
        store.set("key", 1, ttl=10, stale=20)
        assert not store.add("key", 2, ttl=10)
        place.let_pass(11)
        assert store.add("key", 2, ttl=10)
        assert value_of(store, "key") == 2

    def test_add_lets_exactly_one_of_many_win(self, store: Store) -> None:
        for _ in range(5):
            store.delete("key")
            assert sum(together(8, lambda: store.add("key", 1, ttl=60))) == 1

    def test_incr_counts_from_nothing(self, store: Store, place: StorePlace) -> None:
        assert store.incr("key", 1, ttl=10) == 1
        assert store.incr("key", 41, ttl=1000) == 42
        assert store.incr("key", -50, ttl=None) == -8
        assert value_of(store, "key") == -8
        place.let_pass(11)  # the time of the first
        assert store.incr("key", 5, ttl=None) == 5
        store.set("set", 7, ttl=60)
        assert store.incr("set", 1, ttl=None) == 8

    def test_incr_loses_none_of_many(self, store: Store) -> None:
        def count() -> None:
            for _ in range(25):
                store.incr("key", 1, ttl=60)

        together(8, count)
        assert value_of(store, "key") == 200

    @pytest.mark.parametrize("value", ["5", 5.0, True, None, [5], 2**64, 2**20_000], ids=label)
    def test_incr_refuses_what_is_no_integer_of_64_bits(self, store: Store, value: Any) -> None:
        store.set("key", value, ttl=60)
        with pytest.raises(CacheValueError, match="'key'"):
            store.incr("key", 1, ttl=60)
        assert same(value_of(store, "key"), value)

    def test_incr_refuses_to_leave_64_bits(self, store: Store) -> None:
        store.set("key", 2**63 - 1, ttl=60)
        with pytest.raises(CacheValueError, match="64 bits"):
            store.incr("key", 1, ttl=60)
        with pytest.raises(CacheValueError, match="64 bits"):
            store.incr("other", 2**63, ttl=60)
        assert store.incr("key", -1, ttl=60) == 2**63 - 2

    def test_incr_refuses_tags_and_counts_anew_in_a_grace(
        self, store: Store, place: StorePlace
    ) -> None:
        store.set("tagged", 1, ttl=60, tags=(("t", "1"),))
        with pytest.raises(CacheValueError, match="tags"):
            store.incr("tagged", 1, ttl=60)
        store.set("stale", 1, ttl=10, stale=60)
        with pytest.raises(CacheValueError, match="grace"):
            store.incr("stale", 1, ttl=60)
        place.let_pass(11)
        assert store.incr("stale", 5, ttl=60) == 5

    # Removing

    def test_delete_and_clear_remove(self, store: Store, place: StorePlace) -> None:
        store.set("a", 1, ttl=60)
        store.set("b", 2, ttl=60)
        store.set("stale", 2, ttl=1, stale=60)
        assert store.delete("a")
        assert not store.delete("a")
        place.let_pass(2)
        assert not store.delete("stale")
        assert store.get("stale") is None
        store.clear()
        assert store.get("b") is None
        store.clear()
        assert store.set("b", 3, ttl=60)
        assert value_of(store, "b") == 3

    def test_a_second_client_sees_the_same(self, place: StorePlace) -> None:
        if not place.shared:
            return
        one, two = place.open(), place.open()
        one.set("key", {"a": (1, 2)}, ttl=60, tags=(("t", "1"),))
        entry = two.get("key")
        assert entry is not None
        assert (entry.take(), entry.tags) == ({"a": (1, 2)}, (("t", "1"),))
        two.clear()
        assert one.get("key") is None

    def test_it_says_how_much_it_holds(self, store: Store, place: StorePlace) -> None:
        assert store.usage() == (0, 0)
        store.set("a", "x" * 1000, ttl=1000)
        store.set("b", 1, ttl=None)
        store.set("short", 1, ttl=1)
        place.let_pass(5)
        used = store.usage()
        assert used.entries == 2
        assert 1000 < used.bytes < 10_000
        store.clear()
        assert store.usage().entries == 0

    # Leases

    def test_one_computation_holds_the_lease(self, store: Store) -> None:
        lease = store.lease("key")
        assert lease is not None
        assert store.lease("key") is None
        other = store.lease("other")
        assert other is not None
        other.release()
        lease.release()
        lease.release()
        again = store.lease("key")
        assert again is not None
        lease.release()
        assert store.lease("key") is None
        again.release()

    def test_a_held_lease_stores_and_ends(self, store: Store) -> None:
        lease = store.lease("key")
        assert store.set("key", 1, ttl=60, lease=lease)
        assert value_of(store, "key") == 1
        again = store.lease("key")
        assert again is not None
        again.release()

    @pytest.mark.parametrize("purge", ["delete", "clear", "set"])
    def test_a_purge_ends_the_lease(self, store: Store, purge: str) -> None:
        lease = store.lease("key")
        assert lease is not None
        if purge == "delete":
            store.delete("key")
        elif purge == "clear":
            store.clear()
        else:
            store.set("key", "newer", ttl=60)
        newer = store.lease("key")
        assert newer is not None
        assert not store.set("key", "older", ttl=60, lease=lease)
        assert value_of(store, "key") == ("newer" if purge == "set" else "nothing")
        lease.release()
        assert store.lease("key") is None, "the newer one still holds"
        assert store.set("key", "newest", ttl=60, lease=newer)
        assert value_of(store, "key") == "newest"
        newer.release()
