"""The shipped contract of stores, and what it can't ask without Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from asok.cache.api import Store
from asok.testing.stores import CacheStoreContract
from asok.testing.stores.asking import value_of
from asok.testing.stores.samples import same

from .random_values import values

__all__ = ["StoreContract"]


class StoreContract(CacheStoreContract):
    @settings(
        max_examples=60,
        suppress_health_check=[
            HealthCheck.differing_executors,
            HealthCheck.function_scoped_fixture,
        ],
        deadline=None,
    )
    @given(value=values())
    def test_gives_back_any_value_of_its_types(self, store: Store, value: Any) -> None:
        assert store.set("key", value, ttl=60)
        assert same(value_of(store, "key"), value)
