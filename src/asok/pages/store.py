"""The port of a store of pages: everything that regeneration needs of the disk or of Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from asok.pages.note import Note
from asok.pages.stored import StoredPage

__all__ = ["PageStore", "Ticket"]


class Ticket(NamedTuple):
    """What a render knew when it began: the page's generation, and the store's clock."""

    generation: int
    moment: float


class PageStore(Protocol):
    """Holds pages and their notes for every worker.

    Pages are told apart by their key: the path, and behind a NUL the declared query
    (`Match.key`). Reading never raises for damage: what can't be read is a miss. Writing
    never raises for a full or read-only disk: it logs, and this worker keeps the page in
    memory.
    """

    def get(self, key: str) -> StoredPage | None:
        """Return the page of `key`; the same object as long as it is unchanged."""
        ...

    def look(self, key: str) -> tuple[StoredPage | None, Note]:
        """Return the page of `key` and what is known about it beside its bytes.

        The note tells of the page's tags too: where one of them, its path or its pattern was
        invalidated since the page's moment, the note is invalidated, and failures from
        before that are forgotten.
        """
        ...

    def near(self, key: str) -> bool:
        """Whether `look` answers from this machine: no event loop waits for a server."""
        ...

    def begin(self, key: str) -> Ticket:
        """Return the ticket of a render of `key` that begins now, before it reads anything."""
        ...

    def put(self, page: StoredPage, *, ticket: Ticket | None = None) -> bool:
        """Store `page` and clear its note.

        With the `ticket` of its render, False is returned and nothing stored where the page
        was invalidated meanwhile: its generation is another, or one of its tags, its path or
        its pattern was invalidated at the ticket's moment or later.
        """
        ...

    def remove(self, key: str, now: float) -> None:
        """Make `key` a miss: its page answered 404."""
        ...

    def fail(self, key: str, now: float, *, revalidate: float | None, error: str) -> Note:
        """Write down a failed regeneration; the page stays."""
        ...

    def invalidate(self, key: str, now: float, *, block: bool) -> Note:
        """Begin a new generation of `key`: a render that is under way is not stored."""
        ...

    def invalidate_tag(self, tag: str, now: float, *, block: bool) -> bool:
        """Invalidate every page of `tag` that was made before; `path_tag`, `route_tag` too.

        The moment is taken from the store's own clock, `now` where it has none. Returns
        False where the other workers could not be told, or not yet.
        """
        ...

    def tag_moment(self, *tags: str) -> float:
        """Return when one of `tags` was last invalidated, by the store's clock; 0.0 for never."""
        ...

    def lease(self, key: str, timeout: float) -> AbstractContextManager[bool]:
        """Hold the right to render `key`, over threads and processes.

        Yields False where somebody else still has it after `timeout` seconds (0: at once).
        It passes on when its holder dies.
        """
        ...

    def listed(self, key: str) -> bool | None:
        """Whether the build listed `key`; None where there was no build to ask."""
        ...

    def paths(self) -> Iterator[str]:
        """Every stored key."""
        ...

    def version(self) -> int:
        """A number that changes with every write of any worker; reading it costs nothing."""
        ...
