"""The contract that every store of the cache keeps, for those who write one. Needs pytest.

A test module has a fixture `place` (a `StorePlace`) and subclasses both contracts:

    class TestMyStore(CacheStoreContract): ...

    class TestMyCache(CacheContract): ...
"""

import pytest

# Before they are imported: so a failure shows the values of what was compared.
pytest.register_assert_rewrite(
    *(f"{__name__}.{part}" for part in ("asking", "region", "serving", "store", "tasks", "values"))
)

from asok.testing.stores.cache import CacheContract  # noqa: E402
from asok.testing.stores.place import StorePlace  # noqa: E402
from asok.testing.stores.store import CacheStoreContract  # noqa: E402

__all__ = ["CacheContract", "CacheStoreContract", "StorePlace"]
