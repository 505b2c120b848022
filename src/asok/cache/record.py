"""One entry of the file store as a JSON document that knows whether it is whole.

    {"check":"<crc32 of what follows, without spaces at the end>","key":…,"value":…}

The first member has a fixed width. It lets a small entry be written over the old one in
place: a reader who gets parts of both sees it from the checksum and reads again. On ext4
a rename over an existing file costs 150–210 µs (it forces the new blocks to be allocated) and
every new inode up to 700 µs after many were freed; a write in place costs 5 µs.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

import msgspec

from asok.cache import clock
from asok.cache.api import Entry, Tags
from asok.cache.values import lift, lower

__all__ = ["HEAD", "Record", "shown"]

_HEAD: Final = b'{"check":"%08x",'
#: Bytes of the first member.
HEAD: Final = len(_HEAD % 0)


class Record(msgspec.Struct, omit_defaults=True):
    """What a file holds. Times are in seconds: see `clock` for the three of them."""

    key: str
    written: float
    boot: str
    since_boot: float
    value: Any
    ttl: float | None = None
    stale: float = 0.0
    tags: tuple[tuple[str, str], ...] = ()
    #: Seconds that the value took to compute; 0 where nobody needs it.
    cost: float = 0.0
    #: Whether the value may hold more than JSON's own types, so that it must be lifted.
    rich: bool = False

    @classmethod
    def make(
        cls,
        key: str,
        value: Any,
        ttl: float | None,
        stale: float = 0.0,
        tags: Tags = (),
        cost: float = 0.0,
    ) -> Record:
        """A record of now. Raises `CacheValueError` for what can't be stored."""
        return cls(
            key=shown(key),
            written=clock.wall(),
            boot=clock.boot_name(),
            since_boot=clock.running(),
            value=lower(value),
            ttl=ttl,
            stale=stale,
            tags=tags,
            cost=cost,
        )

    def encode(self) -> bytes:
        """The document."""
        rest = _encoder.encode(self)[1:]
        if not self.rich and b'"$' in rest:
            self.rich = True
            rest = _encoder.encode(self)[1:]
        return _HEAD % crc32(rest) + rest

    @classmethod
    def decode(cls, data: bytes) -> Record:
        """The inverse of `encode`. Raises `ValueError` for anything else."""
        if data[:HEAD] != _HEAD % crc32(data[HEAD:].rstrip(b" ")):
            raise ValueError("the checksum does not fit")
        try:
            record = _decoder.decode(data)
            if record.rich:
                record.value = lift(record.value)
        except RecursionError:
            raise ValueError("lies too deep") from None
        return record

    def entry(self) -> Entry | None:
        """The entry as it is now, or None after its end."""
        ttl = self.ttl
        if ttl is None:
            return Entry(self.value, tags=self.tags)
        age = clock.age(self.boot, self.written, self.since_boot)
        if 0 <= age < ttl:
            if not self.tags and not self.cost:  # the usual one
                return Entry(self.value)
            return Entry(self.value, tags=self.tags, cost=self.cost, left=ttl - age)
        if 0 <= age < ttl + self.stale:
            return Entry(self.value, late=age - ttl, tags=self.tags)
        return None

    @property
    def end(self) -> float | None:
        """When it ends by the wall clock, None for never."""
        return None if self.ttl is None else self.written + self.ttl + self.stale


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Record)


def shown(key: str) -> str:
    """A key as JSON can hold it (half surrogate pairs escaped)."""
    return key if key.isascii() else key.encode("utf-8", "backslashreplace").decode()
