"""What a forked child does with locks that another thread of its parent may have held."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Forked", "renew_in_children"]


class Forked(Protocol):
    """Something that has locks, threads or connections of its own."""

    def renew(self) -> None:
        """Called in a new child process, before anything else runs there."""
        ...


_owners: WeakSet[Forked] = WeakSet()
_registered = False


def renew_in_children(owner: Forked) -> None:
    """Call `owner.renew()` in each process that is forked from this one, while it lives."""
    global _registered
    if not _registered:
        # Kept until the interpreter ends, which is why it is one call for all owners.
        _registered = True
        os.register_at_fork(after_in_child=_renew_all)
    _owners.add(owner)


def _renew_all() -> None:
    for owner in list(_owners):
        owner.renew()
