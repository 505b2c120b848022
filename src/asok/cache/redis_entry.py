"""How an entry is written in Redis: the JSON text alone, or with what else is known before it.

A plain value is its text, so an integer is one that Redis itself can count in. JSON never
begins with `!`, which marks the other form: `!<grace>,<cost>|<tags>\\n<text>`, in seconds;
without a cost it is `!<grace>|<tags>\\n<text>`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import msgspec

from asok.cache.api import Entry, Tags
from asok.cache.values import loads

__all__ = ["is_marked", "join_entry", "read_entry"]

_tags = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def join_entry(text: bytes, stale: float = 0.0, tags: Tags = (), cost: float = 0.0) -> bytes:
    """Return what Redis is to hold for a value's JSON text."""
    if not stale and not tags and not cost:
        return text
    costs = b",%.6f" % cost if cost else b""
    return b"!%.3f%s|%s\n%s" % (stale, costs, msgspec.json.encode(tags), text)


def is_marked(data: bytes) -> bool:
    """Whether more than a value is written there, so that its time may matter."""
    return data.startswith(b"!")


def read_entry(data: bytes, left: Callable[[], int]) -> Entry | None:
    """The entry in what Redis held, or None for what this cache never wrote.

    `left()` returns the milliseconds until Redis drops it (-1: never, -2: dropped by now); it
    is asked only where there is a grace or a cost.
    """
    try:
        if not is_marked(data):
            return Entry(loads(data))
        head, newline, text = data[1:].partition(b"\n")
        times, bar, tags = head.partition(b"|")
        if not newline or not bar:
            return None
        grace, _, costs = times.partition(b",")
        stale, cost = float(grace) * 1000, float(costs or 0)
        known_tags, value = _tags.decode(tags), loads(text)
    except ValueError:
        return None
    remaining = left() if stale or cost else -1
    if remaining == -1:
        return Entry(value, tags=known_tags, cost=cost, left=inf)
    if remaining > stale:
        return Entry(value, tags=known_tags, cost=cost, left=(remaining - stale) / 1000)
    return Entry(value, late=(stale - remaining) / 1000, tags=known_tags)
