"""Accept-Encoding: which of the stored variants a client gets (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["IDENTITY", "LONGEST", "acceptable", "choose"]

IDENTITY = "identity"

_ITEM = re.compile(
    r"[ \t]*+([!#$%&'*+.^_`|~0-9A-Za-z-]++)"
    r"(?:[ \t]*+;[ \t]*+[qQ]=([01](?:\.[0-9]{0,3})?))?[ \t]*+"
)
#: Characters of the header that are read; more would only fill the memory of answers.
LONGEST = 1024
_MOST = 32


@lru_cache(maxsize=512)
def acceptable(header: str) -> dict[str, float]:
    """Return the quality of each content coding named in `header`, `*` among them.

    An item that isn't well formed is passed over. A header beyond 1,024 characters or 32
    items says nothing: what was cut off might have refused what the rest takes.
    """
    qualities: dict[str, float] = {}
    items = header.split(",", _MOST) if len(header) <= LONGEST else []
    for item in items if len(items) <= _MOST else []:
        match = _ITEM.fullmatch(item)
        if match is not None:
            coding = match[1].lower()
            qualities["gzip" if coding == "x-gzip" else coding] = (
                1.0 if match[2] is None else min(float(match[2]), 1.0)
            )
    return qualities


@lru_cache(maxsize=1024)
def choose(header: str, sizes: tuple[tuple[str, int], ...]) -> str:
    """Return the coding to send out of `sizes`, pairs of coding and size in bytes.

    The highest quality wins, the smallest among equals. A coding that isn't listed has the
    quality of `*`, or none; identity that isn't listed comes after everything listed. Where
    nothing fits, identity is sent: RFC 9110 prefers that to a refusal. Kept for the last
    1,024 pairs: browsers send few different headers.
    """
    qualities = acceptable(header)
    wildcard = qualities.get("*", 0.0)
    best, best_rank = IDENTITY, (0.0, 0)
    for coding, size in sizes:
        quality = qualities.get(coding, wildcard)
        if coding == IDENTITY and coding not in qualities and "*" not in qualities:
            quality = 0.0001  # acceptable, but below the least that a header can say (0.001)
        rank = (quality, -size)
        if quality > 0 and (best_rank[0] == 0 or rank > best_rank):
            best, best_rank = coding, rank
    return best
