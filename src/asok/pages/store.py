"""The port of a store of pages: everything that regeneration needs of the disk or of Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from asok.pages.note import Note
from asok.pages.stored import StoredPage

__all__ = ["PageStore"]


class PageStore(Protocol):
    """Holds pages and their notes for every worker.

    Reading never raises for damage: what can't be read is a miss. Writing never raises for
    a full or read-only disk: it logs, and this worker keeps the page in memory.
    """

    def get(self, path: str) -> StoredPage | None:
        """Return the page of `path`; the same object as long as it is unchanged."""
        ...

    def look(self, path: str) -> tuple[StoredPage | None, Note]:
        """Return the page of `path` and what is known about it beside its bytes."""
        ...

    def put(self, page: StoredPage, *, generation: int | None = None) -> bool:
        """Store `page` and clear its note.

        With `generation` (of the note when the render began), False is returned and nothing
        stored where the page was invalidated meanwhile.
        """
        ...

    def remove(self, path: str, now: float) -> None:
        """Make `path` a miss: its page answered 404."""
        ...

    def fail(self, path: str, now: float, *, revalidate: float | None, error: str) -> Note:
        """Write down a failed regeneration; the page stays."""
        ...

    def invalidate(self, path: str, now: float, *, block: bool) -> Note:
        """Begin a new generation of `path`: a render that is under way is not stored."""
        ...

    def lease(self, path: str, timeout: float) -> AbstractContextManager[bool]:
        """Hold the right to render `path`, over threads and processes.

        Yields False where somebody else still has it after `timeout` seconds (0: at once).
        It passes on when its holder dies.
        """
        ...

    def listed(self, path: str) -> bool | None:
        """Whether the build listed `path`; None where there was no build to ask."""
        ...

    def paths(self) -> Iterator[str]:
        """Every stored path."""
        ...

    def version(self) -> int:
        """A number that changes with every write of any worker; reading it costs nothing."""
        ...
