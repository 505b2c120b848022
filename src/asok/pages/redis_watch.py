"""What a process has noticed of the pages and tags that others wrote, so that no hit asks Redis.

A thread asks a few times a second what was written since, and answers every question about
versions, stamps and tags from memory in between. Others' writes are thus seen within
`INTERVAL` and the time of one answer; whoever takes a lease asks at once.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from asok.forked import renew_in_children
from asok.pages.tags import Mark

__all__ = ["INTERVAL", "RedisWatch", "microseconds", "seconds"]

log = logging.getLogger("asok.pages")

#: Seconds between two questions.
INTERVAL: Final = 0.25
#: Changed names that are remembered; beyond it everything counts as changed.
_CHANGES: Final = 50_000
_COMPLAIN_EVERY: Final = 60.0
_NEVER: Final = Mark()


def seconds(microseconds: bytes | str | float) -> float:
    """Return a moment of the server's clock in seconds since the epoch."""
    return int(float(microseconds)) / 1_000_000


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def microseconds(moment: float) -> int:
    """The inverse of `seconds`."""
    return round(moment * 1_000_000)


class RedisWatch:
    """The memory of one process.

    `ask(version, latest)` runs the script POLL, `restore(latest, floor, tags)` gives Redis
    back what it lost of the tags; both raise `OSError`. `tick` is called after each question
    of the thread.
    """

    def __init__(
        self,
        ask: Callable[[str, str], Any],
        restore: Callable[[float, Mark, Iterable[tuple[str, Mark]]], None],
        tick: Callable[[], None],
        *,
        interval: float = INTERVAL,
    ) -> None:
        self.interval = interval
        self._ask = ask
        self._restore = restore
        self._tick = tick
        self._version = 0
        self._epoch = 0
        self._changes: dict[str, int] = {}
        self._born: bytes | None = None
        self._seen: int | None = None
        self._tags: dict[str, Mark] = {}
        self._tags_state: Sequence[bytes | None] = ()
        self._latest = b"0"
        self._floor = _NEVER
        self._complained = -_COMPLAIN_EVERY
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """After a fork: the thread is the parent's, and the locks may be held by it."""
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def version(self) -> int:
        """See `Overlay.version`."""
        if self._thread is None:
            self._start()
        return self._version

    def stamp(self, name: str) -> tuple[int, int]:
        """Return what changes when others' writes of the page `name` are noticed."""
        return self._epoch, self._changes.get(name, 0)

    def marks(self, tags: Iterable[str]) -> Mark:
        """Return when the latest of `tags` was invalidated, as far as was noticed."""
        if self._thread is None:
            self._start()
        mark, known = self._floor, self._tags
        for tag in tags:
            found = known.get(tag)
            if found is not None:
                mark = mark.later(found)
        return mark

    def wrote(self, name: str, version: int) -> None:
        """Take note of a write of this process's own."""
        with self._lock:
            self._change(name, version)
            self._version += 1

    def invalidated(self, tag: str, mark: Mark) -> None:
        """Take note of a tag that this process invalidated."""
        with self._lock:
            self._tags[tag] = self._tags.get(tag, _NEVER).later(mark)
            self._version += 1

    def _change(self, name: str, version: int) -> bool:
        if self._changes.get(name, 0) >= version:
            return False
        self._changes[name] = version
        if len(self._changes) > _CHANGES:
            self._forget()
        return True

    def _forget(self) -> None:
        """What changed is not known any more: everything read so far has to be read again."""
        self._epoch += 1
        self._changes.clear()

    def ask(self) -> None:
        """Ask Redis now what was written since. Raises `OSError`."""
        with self._asking:
            seen = "+inf" if self._seen is None else str(self._seen)
            pages, tags, names, at, block = self._ask(seen, self._latest.decode())
            if self._lost(tags):
                latest = float(self._latest)
                self._restore(latest, self._floor, list(self._tags.items()))
                self._latest, self._tags_state = b"0", ()
                _, tags, _, at, block = self._ask(seen, "0")
            with self._lock:
                changed = self._take_pages(pages, names)
                changed = self._take_tags(tags, at, block) or changed
                self._version += changed

    def _lost(self, tags: Sequence[bytes | None]) -> bool:
        """Whether Redis was emptied: tags were known, and are not those of the same birth."""
        return bool(self._tags_state and self._tags_state[0] and self._tags_state[0] != tags[0])

    def _take_pages(self, pages: Sequence[bytes | None], names: Sequence[bytes]) -> bool:
        born, version, floor = pages[0], int(pages[1] or 0), float(pages[2] or 0)
        before, self._seen = self._seen, version
        known, self._born = self._born, born
        if before is None or (known is not None and born != known):
            self._forget()
            return True
        if version < before or before < floor:
            self._forget()  # a server that is behind, or more changes than the log holds
            return True
        changed = [self._change(name.decode(), int(at)) for name, at in _pairs(names)]
        return any(changed)

    def _take_tags(
        self, state: Sequence[bytes | None], at: Sequence[bytes], block: Sequence[bytes]
    ) -> bool:
        if state == self._tags_state:
            return False
        tags, latest = self._tags, max(int(float(self._latest)), int(state[1] or 0))
        for tag, moment in _pairs(at):
            name = tag.decode("utf-8", "surrogatepass")
            tags[name] = tags.get(name, _NEVER).later(Mark(seconds(moment)))
        for tag, moment in _pairs(block):
            name = tag.decode("utf-8", "surrogatepass")
            tags[name] = tags.get(name, _NEVER).later(Mark(0.0, seconds(moment)))
        self._floor = self._floor.later(Mark(seconds(state[2] or 0), seconds(state[3] or 0)))
        self._latest, self._tags_state = str(latest).encode(), state
        if len(tags) > _CHANGES:
            floor = self._floor.at
            self._tags = {tag: mark for tag, mark in tags.items() if mark.at > floor}
        return True

    # The thread

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(
                target=_run,
                args=(weakref.ref(self), self._wake, self.interval),
                name="asok-pages-watch",
                daemon=True,
            )
            self._thread.start()
        with suppress(OSError):  # what was not seen now will be when Redis answers again
            self.ask()

    def tick(self) -> None:
        """Ask, and do what is due; Redis that is away is tried again the next time."""
        try:
            self.ask()
            self._tick()
        except OSError:
            return
        except Exception:
            # Something else wrote our keys: without this thread nothing would be noticed again.
            now = time.monotonic()
            if now - self._complained > _COMPLAIN_EVERY:
                self._complained = now
                log.exception("what Redis says of pages can't be understood")

    def stop(self) -> None:
        """End the thread, for good."""
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()


def _run(reference: weakref.ref[RedisWatch], wake: threading.Event, interval: float) -> None:
    # Only a weak reference: a store that nobody uses any more takes its thread along.
    while not wake.wait(interval):
        watch = reference()
        if watch is None:
            return
        watch.tick()
        del watch
