"""Pages made after the build, and what is known about them, as files that are whole or absent.

```
tags           when which tag was invalidated, for every fingerprint     see journal.py
version        changes with every write                                  see counters.py
lock           held for the moment of a write
overlay/<fingerprint>/
    listed/    about.5f2c….json  about.5f2c….<digest>.html     regenerated pages of the build
    unlisted/                                                  pages made on demand: bounded
    notes/     about.5f2c….json                                invalidations and failures
    locks/     leases: who renders what
    counters   how many pages made on demand, and their bytes
```

Pages are written as page_folder.py says; where a reader finds no body because a writer
removed it between its two reads, it reads the record again.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from asok import atomic
from asok.pages.counters import Counters, Versions
from asok.pages.journal import TagJournal
from asok.pages.names import body_name, page_name
from asok.pages.note import Note
from asok.pages.overlay import Seen
from asok.pages.page_folder import PageFolder, Stat, read_file, stat_file
from asok.pages.quota import Quota, disk_size
from asok.pages.store import Ticket
from asok.pages.stored import StoredPage, encode
from asok.pages.tags import Mark, page_tags

__all__ = ["FileOverlay"]

#: Lease files: enough that two pages seldom share one, few enough to stay.
_LEASES: Final = 4096
#: How often a reader looks again because writers came in between.
_ATTEMPTS: Final = 100
_POLL: Final = 0.02
#: A clock that went back by more than this was wrong before: the pages made then are stale.
_MAX_SKEW: Final = 60.0


class FileOverlay:
    """`Overlay` for `fingerprint` in `root` (`.asok/ssg_cache`). Writing raises `OSError`.

    `clock` is what tags are invalidated by, in seconds since the epoch.
    """

    remote = False

    def __init__(
        self,
        root: Path,
        fingerprint: str,
        *,
        max_pages: int,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder = root / "overlay" / fingerprint
        self._clock = clock
        with suppress(OSError):
            for name in ("listed", "unlisted", "notes", "locks"):
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listed = PageFolder(folder / "listed")
        self._unlisted = PageFolder(folder / "unlisted")
        self._notes = os.path.join(folder, "notes", "")
        self._lock = atomic.FileLock(root / "lock")
        self._versions = Versions(root / "version")
        #: See `Overlay.version`: read on every hit.
        self.version: Callable[[], int] = self._versions.read
        self._counters = Counters(folder / "counters")
        self._quota = Quota(folder, self._counters, max_pages=max_pages, max_bytes=max_bytes)
        self._seen_tags = self._versions.tags
        self._tags = TagJournal(root / "tags")

    def see(self, key: str) -> Seen:
        stamp = self.stamp(key)  # before the files: what is written after it is noticed
        return Seen(self.read(key), self.note(key), stamp)

    def marks(self, tags: Iterable[str]) -> Mark:
        return self._journal().marks(tags)

    def _journal(self) -> TagJournal:
        """The journal as it is now; reading it again only where a tag was invalidated."""
        seen = self._versions.tags
        if seen != self._seen_tags:
            self._tags.refresh()
            self._seen_tags = seen
        return self._tags

    def moment(self) -> float:
        return max(self._clock(), math.nextafter(self._journal().latest, math.inf))

    def begin(self, key: str) -> Ticket:
        moment = self.moment()
        self._versions.begin(moment)
        return Ticket(self.note(key).generation, moment)

    def invalidate_tag(self, tag: str, now: float, *, block: bool) -> None:
        with self._lock.hold():
            self._tags.refresh()
            at = max(self.moment(), self._began())
            self._tags.add(tag, at, block=block)
            self._versions.bump(tags=True)

    def _began(self) -> float:
        """When the latest render began: an invalidation is never before it by a clock gone back."""
        began = self._versions.moment
        return began if began < self._clock() + _MAX_SKEW else 0.0

    def stamp(self, key: str) -> tuple[Stat, Stat, Stat]:
        name = page_name(key)
        note = stat_file(f"{self._notes}{name}.json")
        return (self._listed.stat(name), self._unlisted.stat(name), note)

    def read(self, key: str) -> StoredPage | None:
        """Return the page of `key`; damaged, foreign and half-removed files are a miss.

        A writer counts the shared version up before it removes anything, so a page that was
        not found while the version stayed the same was not there.
        """
        for _ in range(_ATTEMPTS):
            version = self.version()
            found = self._listed.read(key) or self._unlisted.read(key)
            if found is not None or self.version() == version:
                return found
        return None

    def note(self, key: str) -> Note:
        """Return the note of `key`; the empty one where there is none that can be read."""
        data = read_file(f"{self._notes}{page_name(key)}.json")
        if data is not None:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                note = msgspec.json.decode(data, type=Note)
                if note.path == key:
                    return note
        return Note(path=key)

    def put(self, page: StoredPage, *, ticket: Ticket | None) -> bool:
        record, body = encode(page)
        name = page_name(page.path)
        file = body_name(name, record.digest, page.content_type)
        data = msgspec.json.encode(msgspec.structs.replace(record, body=file))
        folder, other = (
            (self._listed, self._unlisted) if page.listed else (self._unlisted, self._listed)
        )
        with self._lock.hold():
            note = self.note(page.path)
            # Compared and stored under the one lock that an invalidation takes too.
            if ticket is not None and self._overtaken(page, note, ticket):
                return False
            old = folder.record(name)
            before = folder.size(name, old)
            folder.write(name, data, file, body)
            self._versions.bump()  # before anything is removed, see `read`
            if old is not None and old.body != file:
                folder.unlink(old.body)
            freed = other.remove(name)
            if not note.quiet:
                self._write_note(note.after_success(page.rendered_at))
            if page.listed:
                self._quota.account(-1 if freed else 0, -freed)
            else:
                size = disk_size(len(body)) + disk_size(len(data))
                self._quota.account(int(old is None), size - before, keep=name)
            self._versions.bump()
        return True

    def _overtaken(self, page: StoredPage, note: Note, ticket: Ticket) -> bool:
        """Whether `page` or one of its tags was invalidated since its render began."""
        self._tags.refresh()  # whatever the version says: its writer may have been killed
        return (
            note.generation != ticket.generation
            or self._tags.marks(page_tags(page)).at >= ticket.moment > 0
        )

    def update(self, key: str, change: Callable[[Note], Note]) -> Note:
        with self._lock.hold():
            note = change(self.note(key))
            self._write_note(note)
            self._versions.bump()
        return note

    def remove(self, key: str, note: Note | None) -> None:
        name = page_name(key)
        with self._lock.hold():
            if note is None:
                old = self.note(key)
                note = None if old.quiet else old.after_success(old.at)
            if note is not None:
                self._write_note(note)
            self._listed.remove(name)
            freed = self._unlisted.remove(name)
            self._quota.account(-1 if freed else 0, -freed)
            self._versions.bump()

    @contextmanager
    def lease(self, key: str, timeout: float) -> Generator[bool]:
        # Two pages that share a lease wait for each other; keyed by the folder's name (the
        # fingerprint of the code), so that a visitor can't choose an address that shares.
        secret = self.folder.name.encode()[:64]
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), key=secret).digest()
        bucket = int.from_bytes(digest[:4], "big") % _LEASES
        lock = atomic.FileLock(self.folder / "locks" / f"{bucket:03x}")
        end = time.monotonic() + timeout
        while True:
            with lock.attempt() as held:
                if held or time.monotonic() >= end:
                    yield held
                    return
            time.sleep(_POLL)

    def touch(self, key: str) -> None:
        self._unlisted.touch(page_name(key), time.time_ns())

    def paths(self) -> Iterator[str]:
        for folder in (self._listed, self._unlisted):
            for record in folder.records():
                yield record.path

    def clear(self) -> None:
        """Remove every page and note, those that earlier code left too.

        The counters and locks stay: workers have them open.
        """
        with self._lock.hold():
            for overlay in self.folder.parent.iterdir():
                for name in ("listed", "unlisted", "notes"):
                    with suppress(OSError), os.scandir(overlay / name) as entries:
                        for entry in entries:
                            os.unlink(entry.path)
            self._counters.account(0, 0)
            self._versions.bump()

    def _write_note(self, note: Note) -> None:
        atomic.write(self._notes + page_name(note.path) + ".json", msgspec.json.encode(note))
