"""Computing a value anew before it ends, so that nobody waits and few compute (XFetch).

Each who asks throws a die that comes up more often the nearer the end is and the longer the
computation took: optimal where all who ask know nothing of each other (Vattani, Chierichetti,
Lowenstein 2015, doi:10.14778/2757807.2757813).
"""

from __future__ import annotations

import math
import random

from asok.cache.api import Entry
from asok.errors import CacheError

__all__ = ["check_early", "is_due"]


def check_early(early: object) -> float:
    """Return β, 0 for never. Raises `CacheError` for what is none."""
    if isinstance(early, bool) or not isinstance(early, int | float) or not 0 <= early < math.inf:
        raise CacheError(
            f"got early={early!r}, expected a number from 0 (never before its end) on; 1.0 is "
            "the usual one, more is earlier.",
            fix="For example cache.remember('key', ttl=60, early=1.0, fn=…).",
        )
    return float(early)


def is_due(entry: Entry, early: float) -> bool:
    """Whether the caller who found `entry` is the one to compute it anew before its end."""
    if not entry.cost:
        return False
    # `1 - random()` is never 0, of which there is no logarithm.
    return entry.left + entry.cost * early * math.log(1.0 - random.random()) <= 0
