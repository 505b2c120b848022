"""How an entry is written in Redis: the JSON text alone, or with its grace and tags before it.

A plain value is its text, so an integer is one that Redis itself can count in. JSON never
begins with `!`, which marks the other form: `!<grace in seconds>|<tags>\\n<text>`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from asok.cache.api import Entry, Tags
from asok.cache.values import loads

__all__ = ["join_entry", "read_entry"]

_tags = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def join_entry(text: bytes, stale: float, tags: Tags) -> bytes:
    """Return what Redis is to hold for a value's JSON text."""
    if not stale and not tags:
        return text
    return b"!%.3f|%s\n%s" % (stale, msgspec.json.encode(tags), text)


def read_entry(data: bytes, left: Callable[[], int]) -> Entry | None:
    """The entry in what Redis held, or None for what this cache never wrote.

    `left()` returns the milliseconds until Redis drops it (-1: never, -2: dropped by now); it
    is asked only where there is a grace.
    """
    try:
        if not data.startswith(b"!"):
            return Entry(loads(data))
        head, newline, text = data[1:].partition(b"\n")
        grace, bar, tags = head.partition(b"|")
        if not newline or not bar:
            return None
        stale, known_tags, value = float(grace) * 1000, _tags.decode(tags), loads(text)
    except ValueError:
        return None
    remaining = left() if stale else -1
    fresh = remaining == -1 or remaining > stale
    return Entry(value, late=None if fresh else (stale - remaining) / 1000, tags=known_tags)
