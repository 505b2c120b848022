"""The port of an overlay: what is made after the build, on this disk or shared by hosts.

`DiskStore` puts it over the release, which is on every host's own disk. An overlay belongs
to the code of one fingerprint, but for the tags: an invalidation counts for whatever was
made before it, by whichever code.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from asok.pages.note import Note
from asok.pages.store import Ticket
from asok.pages.stored import StoredPage
from asok.pages.tags import Mark

__all__ = ["Overlay", "Seen"]


class Seen(NamedTuple):
    """One look at a key: its page and note, and a stamp that changes when either is written."""

    page: StoredPage | None
    note: Note
    stamp: Hashable


class Overlay(Protocol):
    """Pages, notes, tags and leases by key. Every method but `version` may raise `OSError`.

    That is for trouble of the medium; damaged contents are a miss.
    """

    #: Whether `see` asks a server: callers then keep it from event loops.
    remote: bool

    def version(self) -> int:
        """A number that changes with every write of any worker, tags included; costs nothing."""
        ...

    def see(self, key: str) -> Seen:
        """Return what is stored of `key`; the note is as written, without tags."""
        ...

    def stamp(self, key: str) -> Hashable:
        """Return the stamp that `see` would, without reading the page."""
        ...

    def marks(self, tags: Iterable[str]) -> Mark:
        """Return when the latest of `tags` was invalidated; from memory as far as possible."""
        ...

    def begin(self, key: str) -> Ticket:
        """See `PageStore.begin`."""
        ...

    def put(self, page: StoredPage, *, ticket: Ticket | None) -> bool:
        """Store `page` and quiet its note, in one step with the comparisons of the ticket."""
        ...

    def update(self, key: str, change: Callable[[Note], Note]) -> Note:
        """Replace the note of `key` by `change(note)`, one writer at a time."""
        ...

    def remove(self, key: str, note: Note | None) -> None:
        """Remove the page of `key`; `note` is what to remember of it."""
        ...

    def invalidate_tag(self, tag: str, now: float, *, block: bool) -> None:
        """See `PageStore.invalidate_tag`; trouble is raised."""
        ...

    def lease(self, key: str, timeout: float) -> AbstractContextManager[bool]:
        """See `PageStore.lease`."""
        ...

    def touch(self, key: str) -> None:
        """Mark a page made on demand as used now: the one used longest ago leaves first."""
        ...

    def paths(self) -> Iterator[str]:
        """Every key that a page is stored for."""
        ...

    def clear(self) -> None:
        """Remove every page and note."""
        ...
