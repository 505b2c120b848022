"""The store of pages on the disk: the release that this worker started with, and the overlay.

Of two versions of a page the one rendered later counts, so that a preserved cache never
hides a newer release. A page that a build once listed and the release no longer does is
gone. What was read stays in a bounded front in memory until another worker's write changes
the shared version; then one `stat` tells whether it is still the same.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from asok.errors import ConfigurationError
from asok.pages.front import Front
from asok.pages.note import Note
from asok.pages.overlay import Overlay, Stamp
from asok.pages.release import Release
from asok.pages.stored import StoredPage

__all__ = ["DiskStore"]

log = logging.getLogger("asok.pages")

#: Seconds between two marks of use of one page, and between two complaints about the disk.
_TOUCH_EVERY: Final = 60.0
_COMPLAIN_EVERY: Final = 60.0


@dataclass(slots=True)
class _Entry:
    page: StoredPage | None
    note: Note
    stamp: Stamp
    version: int
    touched: float
    unsaved: bool = False


class DiskStore:
    """`PageStore` in `folder` (`.asok/ssg_cache`), for code of the given `fingerprint`.

    Without a fingerprint the release's own is taken. Bounds: `max_pages` and `max_bytes` on
    the disk for pages made on demand, `memory` bytes for the front.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fingerprint: str | None = None,
        max_pages: int = 10_000,
        max_bytes: int = 256 * 1024 * 1024,
        memory: int = 64 * 1024 * 1024,
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
        self._overlay = Overlay(folder / "overlay" / name, max_pages=max_pages, max_bytes=max_bytes)
        self._front: Front[_Entry] = Front(memory, _size)
        self._counters = self._overlay.counters
        self._complained = -_COMPLAIN_EVERY

    @property
    def outdated(self) -> bool:
        """Whether the release was built by other code than this: its pages may be old."""
        return self.release is not None and self.release.fingerprint != self.fingerprint

    def version(self) -> int:
        return self._counters.version

    def get(self, path: str) -> StoredPage | None:
        return self._entry(path).page

    def look(self, path: str) -> tuple[StoredPage | None, Note]:
        entry = self._entry(path)
        return entry.page, entry.note

    def _entry(self, path: str) -> _Entry:
        entry = self._front.get(path)
        # Read before the stamp and the files: what changes after this is noticed next time.
        version = self._counters.version
        if entry is not None:
            if entry.version == version or self._overlay.stamp(path) == entry.stamp:
                entry.version = version
                self._touch(path, entry)
                return entry
            self._front.drop(path)
        entry = self._load(path, version)
        if entry.page is not None:
            self._front.put(path, entry)
        return entry

    def _load(self, path: str, version: int) -> _Entry:
        stamp = self._overlay.stamp(path)
        page, note = self._overlay.read(path), self._overlay.note(path)
        base = self.release.records.get(path) if self.release else None
        if page is not None and page.listed and self.release is not None and base is None:
            page = None  # listed by an earlier build, and delisted since
        if self.release is not None and base is not None:
            if note.at and note.at <= base.rendered_at:
                # The build is newer than what the note is about.
                note = Note(path=path, generation=note.generation)
            if page is None or page.rendered_at <= base.rendered_at:
                page = None if note.gone else self.release.read(path)
        return _Entry(page, note, stamp, version, time.monotonic())

    def _touch(self, path: str, entry: _Entry) -> None:
        if entry.page is None or entry.page.listed or entry.unsaved:
            return
        now = time.monotonic()
        if now - entry.touched > _TOUCH_EVERY:
            entry.touched = now
            self._overlay.touch(path)

    def put(self, page: StoredPage, *, generation: int | None = None) -> bool:
        try:
            stored = self._overlay.put(page, generation=generation)
        except OSError as error:
            self._complain("store", page.path, error)
            return self._keep(page, generation)
        self._front.drop(page.path)
        return stored

    def _keep(self, page: StoredPage, generation: int | None) -> bool:
        """Serve a page that could not be written from this worker's memory."""
        version = self._counters.version
        stamp, note = self._overlay.stamp(page.path), self.look(page.path)[1]
        if generation is not None and note.generation != generation:
            return False
        note = Note(path=page.path, generation=note.generation)
        entry = _Entry(page, note, stamp, version, time.monotonic(), unsaved=True)
        self._front.put(page.path, entry)
        return True

    def remove(self, path: str, now: float) -> None:
        in_release = self.release is not None and path in self.release.records
        try:
            note = self._overlay.note(path).after_gone(now) if in_release else None
            self._overlay.remove(path, note)
        except OSError as error:
            self._complain("remove", path, error)
        self._front.drop(path)

    def fail(self, path: str, now: float, *, revalidate: float | None, error: str) -> Note:
        return self._update(
            path, lambda note: note.after_failure(now, revalidate=revalidate, error=error)
        )

    def invalidate(self, path: str, now: float, *, block: bool) -> Note:
        return self._update(path, lambda note: note.after_invalidation(now, block=block))

    def _update(self, path: str, change: Callable[[Note], Note]) -> Note:
        try:
            note = self._overlay.update(path, change)
        except OSError as error:
            self._complain("note a change of", path, error)
            entry = self._entry(path)
            note = change(entry.note)
            if entry.page is not None:
                entry = replace(entry, note=note, unsaved=True)
                self._front.put(path, entry)
            return note
        self._front.drop(path)
        return note

    @contextmanager
    def lease(self, path: str, timeout: float) -> Generator[bool]:
        with ExitStack() as stack:
            try:
                held = stack.enter_context(self._overlay.lease(path, timeout))
            except OSError as error:
                # Nothing can be written here, so no other process shares what this one makes.
                self._complain("lock", path, error)
                held = True
            yield held

    def listed(self, path: str) -> bool | None:
        return None if self.release is None else path in self.release.records

    def paths(self) -> Iterator[str]:
        known = self.release.records if self.release else {}
        for path in {*known, *self._overlay.paths()}:
            if self.get(path) is not None:
                yield path

    def clear(self) -> None:
        """Remove every page made after the build (`asok cache clear`). Raises `OSError`."""
        self._overlay.clear()
        self._front.clear()

    def _complain(self, what: str, path: str, error: OSError) -> None:
        now = time.monotonic()
        if now - self._complained > _COMPLAIN_EVERY:
            self._complained = now
            log.error(
                "can't %s the page %s in %s (%s); pages are served from memory meanwhile",
                what,
                path,
                self.folder,
                error,
            )


def _size(entry: _Entry) -> int:
    return 1000 + (entry.page.holed.size if entry.page is not None else 0)
