"""The contract of a cache over a store, sync and async."""

from __future__ import annotations

from asok.testing.stores.region import RegionContract
from asok.testing.stores.serving import ServingContract
from asok.testing.stores.tasks import TaskContract

__all__ = ["CacheContract"]


class CacheContract(RegionContract, ServingContract, TaskContract):
    """What a `Cache` does over every store. Subclass it beside a fixture `place`."""
