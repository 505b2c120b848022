"""Reading the pages that one code keeps in Redis; how they are kept is in redis_page_scripts.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import msgspec

from asok.pages.note import Note
from asok.pages.stored import Record, StoredPage, decode
from asok.redis_link.link import RedisLink

__all__ = ["RedisPages", "note_of", "page_of"]

_BATCH: Final = 500


class RedisPages:
    """The pages below `space` on the server of `link`. Every method raises `PagesUnavailable`."""

    def __init__(self, link: RedisLink, space: str) -> None:
        self._link = link
        self.space = space

    def fields(self, name: str, *fields: str) -> list[bytes | None]:
        """Return some fields of the page `name`."""
        return self._link.run(lambda client: client.hmget(f"{self.space}p:{name}", fields))

    def names(self, *places: str) -> Iterator[list[str]]:
        """Yield the names in these sorted sets in batches, each within its own deadline."""
        for place in places:
            cursor: int = 0
            while True:
                at, where = cursor, self.space + place
                cursor, found = self._link.run(
                    lambda client, at=at, where=where: client.zscan(where, at, count=_BATCH)
                )
                if found:
                    yield [name.decode() for name, _ in found]
                if not cursor:
                    break

    def paths(self) -> Iterator[str]:
        """Yield every key that a record is stored for, some of them twice."""

        def records(client: Any, names: list[str]) -> list[bytes | None]:
            with client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hget(f"{self.space}p:{name}", "r")
                return pipe.execute()

        for names in self.names("listed", "unlisted"):
            for data in self._link.run(lambda client, names=names: records(client, names)):
                with suppress(ValueError):
                    if data is not None:
                        yield msgspec.json.decode(data, type=Record).path


def page_of(key: str, record: bytes | None, body: bytes | None) -> StoredPage | None:
    """Return the page of `key` from its fields; damage is a miss."""
    if record is None or body is None:
        return None
    with suppress(ValueError):  # msgspec's and Unicode errors are, too
        found = msgspec.json.decode(record, type=Record)
        if found.path == key:
            return decode(found, body)
    return None


def note_of(key: str, data: bytes | None, generation: bytes | None) -> Note:
    """Return the note of `key` from its fields; damage is the empty note."""
    number = int(generation) if generation is not None and generation.isdigit() else 0
    if data:
        with suppress(ValueError):
            note = msgspec.json.decode(data, type=Note)
            if note.path == key:
                return msgspec.structs.replace(note, generation=number)
    return Note(path=key, generation=number)
