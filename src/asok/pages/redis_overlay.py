"""Pages made after the build, in a Redis that hosts share; the build itself is on every host.

What is kept there, and how, is in redis_page_scripts.py. Everything that compares and writes
is one script, so that no other host comes in between. What was written since is noticed by
redis_watch.py. Every operation ends within `timeout`; after trouble the breaker answers at
once, and the pages are served from memory and from the build.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from asok.errors import ConfigurationError, PagesUnavailable
from asok.pages import redis_page_scripts, redis_watch_scripts
from asok.pages.names import page_name
from asok.pages.note import Note
from asok.pages.overlay import Seen
from asok.pages.redis_tags import RedisTags, encoded
from asok.pages.redis_watch import RedisWatch, microseconds, seconds
from asok.pages.store import Ticket
from asok.pages.stored import StoredPage, encode
from asok.pages.tags import Mark, page_tags

try:
    from asok.pages.redis_inherited import RedisInheritance
    from asok.pages.redis_pages import RedisPages, note_of, page_of
    from asok.redis_link.leases import RedisLeases
    from asok.redis_link.link import RedisLink
except ImportError as error:  # pragma: no cover  (a test runs it in a process without redis)
    raise ConfigurationError(
        "ASOK_PAGES_BACKEND=redis needs the package redis, which is not installed.",
        fix='Run: pip install "asok[redis]"',
    ) from error

__all__ = ["RedisOverlay"]

T = TypeVar("T")

#: Bytes of a body, at most: larger ones would hold up everybody on the server.
_BODY_LIMIT: Final = 8 * 1024 * 1024
#: Seconds until what nobody uses any more leaves, as the pages of code that was replaced.
_LIFE: Final = 14 * 86_400.0
_BATCH: Final = 500
_ATTEMPTS: Final = 50
_FIRST_POLL: Final = 0.01
_POLL: Final = 0.1


class RedisOverlay:
    """`Overlay` for the code of one `fingerprint` in the Redis at `url`.

    `max_pages` and `max_bytes` bound the pages made on demand. `timeout` (seconds) is the
    limit of one operation, `connections` bounds the pool of this process, `space` begins
    every key. Raises `ConfigurationError` for a URL that is none; a server that does not
    answer is no error here. `inherited` is what earlier code left there.
    """

    remote = True

    def __init__(
        self,
        url: str,
        fingerprint: str,
        *,
        max_pages: int,
        max_bytes: int,
        timeout: float = 0.5,
        connections: int = 16,
        space: str = "asok:pages",
        life: float = _LIFE,
    ) -> None:
        self._link = RedisLink(
            url, timeout=timeout, connections=connections, error=PagesUnavailable
        )
        self._space = f"{space}:{fingerprint}:"
        self._pages = RedisPages(self._link, self._space)
        self.inherited = RedisInheritance(self._link, partial(self._call, "EARLIER"))
        self._keys = [self._space, f"{space}:tags:"]
        self._life = int(life * 1000)
        self._bounds = (self._life, max_pages, max_bytes)
        self._scripts = {
            name: self._link.script(getattr(module, name))
            for module in (redis_page_scripts, redis_watch_scripts)
            for name in module.__all__
        }
        self._leases = RedisLeases(self._link)
        self._used: set[str] = set()
        self._kept = 0.0
        self._tags = RedisTags(self._call)
        self._watch = RedisWatch(self._poll, self._tags.restore, self._tick)
        #: See `Overlay.version`: read on every hit.
        self.version: Callable[[], int] = self._watch.version

    def _call(self, script: str, *arguments: Any, space: str | None = None) -> Any:
        run, keys = self._scripts[script], [space or self._space, *self._keys[1:]]
        return self._link.run(lambda client: run(keys=keys, args=arguments, client=client))

    # Reading

    def see(self, key: str) -> Seen:
        name = page_name(key)
        self.version()  # the thread runs from now on
        stamp = self._watch.stamp(name)  # before the page: what is written after it is noticed
        try:
            record, body, note, generation = self._pages.fields(name, "r", "b", "n", "g")
        except PagesUnavailable as error:
            if "WRONGTYPE" not in str(error):
                raise
            return Seen(None, Note(path=key), stamp)
        page = page_of(key, record, body)
        if page is not None and not page.listed:
            self._used.add(name)
        return Seen(page, note_of(key, note, generation), stamp)

    def stamp(self, key: str) -> tuple[int, int]:
        return self._watch.stamp(page_name(key))

    def marks(self, tags: Iterable[str]) -> Mark:
        return self._watch.marks(tags)

    def paths(self) -> Iterator[str]:
        return self._pages.paths()

    # Writing

    def begin(self, key: str) -> Ticket:
        generation, moment = self._call("BEGIN", page_name(key))
        return Ticket(int(generation), seconds(moment))

    def put(self, page: StoredPage, *, ticket: Ticket | None) -> bool:
        record, body = encode(page)
        if len(body) > _BODY_LIMIT:
            raise PagesUnavailable(f"{len(body)} bytes are more than {_BODY_LIMIT} allowed")
        name = page_name(page.path)
        version = self._call(
            "PUT",
            *self._bounds,
            name,
            msgspec.json.encode(record),
            body,
            microseconds(page.moment if ticket is None else ticket.moment),
            int(page.listed),
            "" if ticket is None else ticket.generation,
            *map(encoded, page_tags(page)),
        )
        if not version:
            return False
        self._watch.wrote(name, version)
        return True

    def update(self, key: str, change: Callable[[Note], Note]) -> Note:
        name = page_name(key)
        for _ in range(_ATTEMPTS):
            data, generation = self._pages.fields(name, "n", "g")
            note = change(note_of(key, data, generation))
            arguments = (data or b"", generation or b"0", _dumps(note), note.generation)
            version = self._call("UPDATE", *self._bounds, name, *arguments)
            if version:
                self._watch.wrote(name, version)
                return note
        raise PagesUnavailable(f"the note of {key!r} changed {_ATTEMPTS} times meanwhile")

    def remove(self, key: str, note: Note | None) -> None:
        name = page_name(key)
        data, generation = (b"", 0) if note is None else (_dumps(note), note.generation)
        version = self._call("REMOVE", *self._bounds, name, data, generation)
        self._watch.wrote(name, version)

    def invalidate_tag(self, tag: str, now: float, *, block: bool) -> None:
        try:
            # At the server's moment: its clock is the one that all hosts share.
            mark = self._tags.invalidate(tag, block=block)
        except PagesUnavailable:
            self._watch.invalidated(tag, Mark(now, now if block else 0.0))
            raise
        self._watch.invalidated(tag, mark)

    def clear(self) -> None:
        # What earlier code left too: it would be inherited again.
        earlier = [space.decode() for space in self._call("EARLIER", _BATCH)]
        for space in (self._space, *earlier):
            while self._call("CLEAR", *self._bounds, _BATCH, space=space):
                pass
        self._watch.ask()

    def touch(self, key: str) -> None:
        self._used.add(page_name(key))  # told to Redis by the thread

    # Leases

    @contextmanager
    def lease(self, key: str, timeout: float) -> Generator[bool]:
        name = f"{self._space}l:{page_name(key)}".encode()
        end, pause = time.monotonic() + timeout, _FIRST_POLL
        lease = self._leases.acquire(name)
        while lease is None and time.monotonic() < end:
            time.sleep(min(pause, max(end - time.monotonic(), 0.0)))
            pause = min(pause * 1.5, _POLL)
            lease = self._leases.acquire(name)
        if lease is None:
            yield False
            return
        try:
            with suppress(OSError):
                self._watch.ask()  # whoever held it before may just have stored the page
            yield True
        finally:
            lease.release()

    # For the watch

    def _poll(self, version: str, latest: str) -> Any:
        return self._call("POLL", version, latest)

    def _tick(self) -> None:
        """Tell Redis what it did not hear, which pages were used, and that they are in use."""
        self._tags.tell_late()
        used, self._used = self._used, set()
        names = list(used)
        for at in range(0, len(names), _BATCH):
            self._call("TOUCH", *names[at : at + _BATCH])
        now = time.monotonic()
        if now >= self._kept:
            self._kept = now + self._life / 8000
            self._keep()

    def _keep(self) -> None:
        """Let nothing of a fingerprint that is in use expire; one worker does it for all."""
        turn, pause = f"{self._space}keeper", max(self._life // 16, 1)
        if self._link.run(lambda client: client.set(turn, "", px=pause, nx=True)):
            self._call("KEEP", self._life)
            for names in self._pages.names("listed", "unlisted", "notes"):
                self._call("KEEP", self._life, *names)

    def close(self) -> None:
        """End the threads and the connections of this process."""
        self._watch.stop()
        self._leases.stop()
        self._link.close()


def _dumps(note: Note) -> bytes:
    return msgspec.json.encode(note)
