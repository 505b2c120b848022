"""Range: the slices of bytes that a client asks for (RFC 9110, section 14).

A list of ranges is where linear servers became quadratic, or sent a file many times over
(CVE-2025-62727, CVE-2011-3192). So the header is bounded before it is read, ranges that
overlap or lie close together become one, and the whole is sent where the parts are no less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["MOST", "OVERHEAD", "UNSATISFIABLE", "Unsatisfiable", "wanted_ranges"]

#: Ranges in one header; one with more is answered with the whole (section 14.2 allows it).
MOST = 32
#: Bytes between two ranges up to which they are sent as one: what a part of its own costs.
OVERHEAD = 160
# 18 digits hold every file size.
_SPEC = re.compile(r"[ \t]*+([0-9]{0,18})-([0-9]{0,18})[ \t]*+")
_LONGEST = 1024


class Unsatisfiable:
    """All ranges lie wholly behind the end."""


UNSATISFIABLE = Unsatisfiable()


def wanted_ranges(header: str, size: int) -> list[tuple[int, int]] | Unsatisfiable | None:
    """Return (start, length) of each slice asked for out of `size` bytes, none of which overlap.

    They are in the order of the header, as section 15.3.7.2 wants it. None means that the
    header is to be ignored and the whole to be sent (another unit, not well formed, too many,
    or no less than the whole), `UNSATISFIABLE` that it is to be answered with 416.
    """
    if len(header) > _LONGEST:
        return None
    unit, equals, listed = header.partition("=")
    specs = [spec for spec in listed.split(",", MOST + 1) if spec.strip(" \t")]
    if unit.lower() != "bytes" or not equals or not 0 < len(specs) <= MOST:
        return None
    found: list[tuple[int, int]] = []
    for spec in specs:
        read = _one(spec, size)
        if read is None:
            return None
        if read[1]:
            found.append(read)
    if not found:
        return UNSATISFIABLE
    if len(specs) == 1:
        return found
    merged = _merged(found)
    whole = sum(length for _, length in merged) + OVERHEAD * (len(merged) - 1) >= size
    return None if whole else merged


def _one(spec: str, size: int) -> tuple[int, int] | None:
    """The slice of one range, of no length where it lies behind the end; None where it is none."""
    match = _SPEC.fullmatch(spec)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return size - length, length
    start = int(match[1])
    last = int(match[2]) if match[2] else max(size - 1, start)
    if last < start:
        return None
    return start, max(min(last, size - 1) - start + 1, 0)


def _merged(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """One slice for all that overlap or nearly touch, in the place of the first of them."""
    groups: list[tuple[int, int, int]] = []  # place in the header, start, end
    for start, place, end in sorted((s, place, s + n) for place, (s, n) in enumerate(found)):
        if groups and start <= groups[-1][2] + OVERHEAD:
            before = groups[-1]
            groups[-1] = (min(place, before[0]), before[1], max(end, before[2]))
        else:
            groups.append((place, start, end))
    return [(start, end - start) for _, start, end in sorted(groups)]
