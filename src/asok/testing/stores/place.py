"""Where the contract of stores runs: a place opens stores, and lets time pass for them."""

from __future__ import annotations

from typing import Protocol

from asok.cache.api import Store

__all__ = ["StorePlace"]


class StorePlace(Protocol):
    """What the fixture `place` of a contract gives: an empty place for each test."""

    #: Whether a second store on it sees what the first one stored.
    shared: bool

    def open(self) -> Store:
        """A store; on a shared place each is another client of the same entries."""
        ...

    def let_pass(self, seconds: float) -> None:
        """Make everything stored so far `seconds` older, without waiting."""
        ...
