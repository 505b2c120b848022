"""Random values drawn in batches: one system call for many visitors.

`os.urandom` costs more than everything else that a filled page needs. Taking from a list is
one atomic operation, so no two threads get the same value, and a forked child begins anew.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["MASKS", "NONCES", "Batch"]

T = TypeVar("T")

_COUNT = 256


class Batch(Generic[T]):
    """Values of `make(random bytes)`, `size` bytes each, drawn `_COUNT` at a time."""

    def __init__(self, size: int, make: Callable[[bytes], T]) -> None:
        self._size = size
        self._make = make
        self._values: list[T] = []
        # A child that went on with its parent's values would repeat them.
        os.register_at_fork(after_in_child=self._values.clear)

    def take(self) -> T:
        """Return a value that nobody gets again."""
        try:
            return self._values.pop()
        except IndexError:
            size, data = self._size, os.urandom(self._size * _COUNT)
            made = [self._make(data[at : at + size]) for at in range(0, len(data), size)]
            mine = made.pop()
            self._values.extend(made)
            return mine


#: CSP nonces: 128 bits as 22 base64url characters.
NONCES: Batch[bytes] = Batch(16, lambda data: urlsafe_b64encode(data)[:22])
#: One-time masks of CSRF tokens: 256 bits.
MASKS: Batch[int] = Batch(32, int.from_bytes)
