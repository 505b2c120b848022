"""Random values drawn in batches: one system call for many visitors.

`os.urandom` costs more than everything else that a filled page needs. Taking from a list is
one atomic operation, so no two threads get the same value, and a forked child begins anew.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final, Generic, TypeVar

__all__ = ["MASKS", "NONCES", "Batch"]

T = TypeVar("T")

_COUNT = 256


class Batch(Generic[T]):
    """Values that `make` makes of `size` random bytes each, drawn `_COUNT` at a time.

    `make` gets the bytes of a whole batch and returns its values.
    """

    def __init__(self, size: int, make: Callable[[bytes], list[T]]) -> None:
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
            made = self._make(os.urandom(self._size * _COUNT))
            mine = made.pop()
            self._values.extend(made)
            return mine


def _nonces(data: bytes) -> list[bytes]:
    # 18 bytes are 24 characters without padding, so that a batch is encoded in one call.
    text = urlsafe_b64encode(data)
    return [text[at : at + 22] for at in range(0, len(text), 24)]


def _masks(data: bytes) -> list[int]:
    return [_twice(data[at : at + MASK_SIZE]) for at in range(0, len(data), MASK_SIZE)]


def _twice(mask: bytes) -> int:
    return int.from_bytes(mask + mask)


MASK_SIZE: Final = 32
#: CSP nonces: 132 bits as 22 base64url characters.
NONCES: Batch[bytes] = Batch(18, _nonces)
#: One-time masks of CSRF tokens: 256 bits, each written twice (see `masked`).
MASKS: Batch[int] = Batch(MASK_SIZE, _masks)
