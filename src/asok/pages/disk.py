"""The store of pages: the release that this worker started with, and what was made after it.

The release is on this disk; the overlay is there too, or shared by hosts (see overlay.py).
Which version of a page counts is said in layers.py. What was read stays in a bounded front
in memory until another worker's write changes the shared version; then its stamp tells
whether it is still the same.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable, Generator, Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from asok.errors import ConfigurationError
from asok.pages.complaint import Complaints
from asok.pages.file_overlay import FileOverlay
from asok.pages.front import Front
from asok.pages.inherited import FileInheritance, Inheritance, Nothing
from asok.pages.layers import Layers
from asok.pages.note import Note
from asok.pages.overlay import Overlay, Seen
from asok.pages.release import Release
from asok.pages.store import Ticket
from asok.pages.stored import StoredPage
from asok.pages.tags import page_tags, why_invalidated

__all__ = ["DiskStore"]

#: Seconds between two marks of use of one page.
_TOUCH_EVERY: Final = 60.0


@dataclass(slots=True)
class _Entry:
    """What was read of a key: `own` is its note as written, `note` the same with its tags."""

    page: StoredPage | None
    own: Note
    note: Note
    stamp: Hashable
    version: int
    touched: float
    unsaved: bool = False


class DiskStore:
    """`PageStore` in `folder` (`.asok/ssg_cache`), for code of the given `fingerprint`.

    Without a fingerprint the release's own is taken. Bounds: `max_pages` and `max_bytes` on
    the disk for pages made on demand, `memory` bytes for the front. `overlay` is where pages
    made after the build go, and `inherited` what earlier code left there; without them, both
    are in `folder` too. `clock` (seconds since the epoch) is what tags are invalidated by.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fingerprint: str | None = None,
        max_pages: int = 10_000,
        max_bytes: int = 256 * 1024 * 1024,
        memory: int = 64 * 1024 * 1024,
        overlay: Overlay | None = None,
        inherited: Inheritance | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, value in (("max_pages", max_pages), ("max_bytes", max_bytes), ("memory", memory)):
            if value < 1:
                raise ConfigurationError(f"{name} = {value!r}, expected at least 1.")
        self.folder = folder
        self.release = Release.current(folder)
        own = self.release.fingerprint if self.release else "development"
        self.fingerprint = fingerprint if fingerprint is not None else own
        name = self.fingerprint
        if not name or name.startswith(".") or os.sep in name or "\0" in name:
            raise ConfigurationError(f"fingerprint = {name!r}, expected a file name.")
        if overlay is None:
            inherited = inherited or FileInheritance(folder, name)
            overlay = FileOverlay(
                folder, name, max_pages=max_pages, max_bytes=max_bytes, clock=clock
            )
        self._overlay: Overlay = overlay
        self._layers = Layers(self.release, inherited or Nothing(), fingerprint=name)
        self._front: Front[_Entry] = Front(memory, _size)
        self._complain = Complaints(folder)
        #: See `PageStore.version`; the overlay's own, for every hit asks it.
        self.version: Callable[[], int] = self._overlay.version

    @property
    def outdated(self) -> bool:
        """Whether the release was built by other code than this: its pages may be old."""
        return self._layers.outdated

    def get(self, key: str) -> StoredPage | None:
        return self._entry(key).page

    def look(self, key: str) -> tuple[StoredPage | None, Note]:
        entry = self._entry(key)
        return entry.page, entry.note

    def near(self, key: str) -> bool:
        if not self._overlay.remote:
            return True
        entry = self._front.get(key)
        return entry is not None and (
            entry.version == self.version() or self._stamp(key, entry) == entry.stamp
        )

    def _entry(self, key: str) -> _Entry:
        entry = self._front.get(key)
        # Read before the stamp and the files: what changes after this is noticed next time.
        version = self.version()
        if entry is not None:
            if entry.version == version:
                self._touch(key, entry)
                return entry
            if self._stamp(key, entry) == entry.stamp:
                entry.note = self._with_tags(entry.page, entry.own)
                entry.version = version
                self._touch(key, entry)
                return entry
            self._front.drop(key)
        entry = self._load(key, version)
        if entry.page is not None:
            self._front.put(key, entry)
        return entry

    def _stamp(self, key: str, entry: _Entry) -> Hashable:
        try:
            return self._overlay.stamp(key)
        except OSError as error:
            self._complain(f"look for the page {key}", error)
            return entry.stamp

    def _load(self, key: str, version: int) -> _Entry:
        page, note, stamp = self._layers.resolve(key, self._see(key))
        merged = self._with_tags(page, note)
        return _Entry(page, note, merged, stamp, version, time.monotonic())

    def _see(self, key: str) -> Seen:
        try:
            return self._overlay.see(key)
        except OSError as error:
            self._complain(f"look for the page {key}", error)
            return Seen(None, Note(path=key), None)

    def _with_tags(self, page: StoredPage | None, note: Note) -> Note:
        if page is None:
            return note
        try:
            tags = page_tags(page)
            mark = self._overlay.marks(tags)
            if not mark.at or mark.at < page.moment:
                return note
            why = why_invalidated(tags, self._overlay.marks, page.moment)
            return note.marked(mark, page.moment, why=why)
        except OSError as error:
            self._complain(f"look for the tags of {page.path}", error)
            return note

    def _touch(self, key: str, entry: _Entry) -> None:
        if entry.page is None or entry.page.listed or entry.unsaved:
            return
        now = time.monotonic()
        if now - entry.touched > _TOUCH_EVERY:
            entry.touched = now
            with suppress(OSError):
                self._overlay.touch(key)

    def begin(self, key: str) -> Ticket:
        try:
            return self._overlay.begin(key)
        except OSError as error:
            self._complain(f"look for the page {key}", error)
            return Ticket(self.look(key)[1].generation, 0.0)

    def put(self, page: StoredPage, *, ticket: Ticket | None = None) -> bool:
        try:
            stored = self._overlay.put(page, ticket=ticket)
        except OSError as error:
            self._complain(f"store the page {page.path}", error)
            return self._keep(page, ticket)
        self._front.drop(page.path)
        return stored

    def _keep(self, page: StoredPage, ticket: Ticket | None) -> bool:
        """Serve a page that could not be written from this worker's memory."""
        version = self.version()
        seen = self._entry(page.path)
        if ticket is not None and seen.own.generation != ticket.generation:
            return False
        note = Note(path=page.path, generation=seen.own.generation)
        if ticket is not None and self._with_tags(page, note).invalidated:
            return False
        entry = _Entry(page, note, note, seen.stamp, version, time.monotonic(), unsaved=True)
        self._front.put(page.path, entry)
        return True

    def remove(self, key: str, now: float) -> None:
        try:
            # What can't be removed is hidden: the release's page, and other code's.
            below = self._layers.below(key)
            note = self._see(key).note.after_gone(now) if below else None
            self._overlay.remove(key, note)
        except OSError as error:
            self._complain(f"remove the page {key}", error)
        self._front.drop(key)

    def fail(self, key: str, now: float, *, revalidate: float | None, error: str) -> Note:
        page, seen = self.look(key)
        since = self.tag_moment(*page_tags(page)) if page is not None else 0.0
        forgotten = not seen.failures

        def change(note: Note) -> Note:
            if forgotten and note.failures:
                # Those were before the page's tags were invalidated: begin to count anew.
                note = msgspec.structs.replace(note, failures=0)
            failed = note.after_failure(now, revalidate=revalidate, error=error)
            # Later than the invalidation of a tag that made the page be tried again.
            at = max(now, math.nextafter(since, math.inf)) if since else now
            return msgspec.structs.replace(failed, at=at)

        return self._update(key, change)

    def invalidate(self, key: str, now: float, *, block: bool) -> Note:
        return self._update(key, lambda note: note.after_invalidation(now, block=block))

    def invalidate_tag(self, tag: str, now: float, *, block: bool) -> bool:
        try:
            self._overlay.invalidate_tag(tag, now, block=block)
        except OSError as error:
            self._complain(f"invalidate the tag {tag}", error)
            return False
        return True

    def tag_moment(self, *tags: str) -> float:
        try:
            return self._overlay.marks(tags).at
        except OSError as error:
            self._complain("look for tags", error)
            return 0.0

    def _update(self, key: str, change: Callable[[Note], Note]) -> Note:
        try:
            note = self._overlay.update(key, change)
        except OSError as error:
            self._complain(f"note a change of the page {key}", error)
            entry = self._entry(key)
            note = change(entry.own)
            if entry.page is not None:
                merged = self._with_tags(entry.page, note)
                entry = dataclasses.replace(entry, own=note, note=merged, unsaved=True)
                self._front.put(key, entry)
            return note
        self._front.drop(key)
        return note

    @contextmanager
    def lease(self, key: str, timeout: float) -> Generator[bool]:
        with ExitStack() as stack:
            try:
                held = stack.enter_context(self._overlay.lease(key, timeout))
            except OSError as error:
                # Nothing can be written here, so no other process shares what this one makes.
                self._complain(f"lock the page {key}", error)
                held = True
            yield held

    def listed(self, key: str) -> bool | None:
        return self._layers.listed(key)

    def paths(self) -> Iterator[str]:
        known = set(self._layers.paths())
        try:
            known.update(self._overlay.paths())
        except OSError as error:
            self._complain("list every page", error)
        for key in known:
            if self.get(key) is not None:
                yield key

    def clear(self) -> None:
        """Remove every page made after the build (`asok cache clear`). Raises `OSError`."""
        self._overlay.clear()
        self._front.clear()


def _size(entry: _Entry) -> int:
    return 1000 + (entry.page.holed.size if entry.page is not None else 0)
