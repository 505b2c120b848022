"""Range: one slice of bytes (RFC 9110, section 14).

Several ranges in one header are answered with the whole, which the RFC allows: a list of
ranges is where linear servers became quadratic (CVE-2025-62727, CVE-2011-3192).
"""

from __future__ import annotations

import re

__all__ = ["UNSATISFIABLE", "Unsatisfiable", "single_range"]

# 18 digits hold every file size; a longer header is never a single range.
_SINGLE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)
_LONGEST = 64


class Unsatisfiable:
    """The range lies wholly behind the end."""


UNSATISFIABLE = Unsatisfiable()


def single_range(header: str, size: int) -> tuple[int, int] | Unsatisfiable | None:
    """Return (start, length) of the bytes asked for out of `size`.

    None means that the header is to be ignored (another unit, several ranges, not well
    formed), `UNSATISFIABLE` that it is to be answered with 416.
    """
    if len(header) > _LONGEST:
        return None
    match = _SINGLE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, length) if length else UNSATISFIABLE
    start = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < start:
        return None
    if start >= size:
        return UNSATISFIABLE
    return start, min(last, size - 1) - start + 1
