"""How often a cache answered, and how; the numbers mean the same over every store."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Since the process began.

    A lock would cost more than a get. CPython with its global lock changes threads only
    between calls and at the ends of loops, so `hits += 1` loses nothing there; a free-threaded
    build may lose a few.
    """

    #: Questions (`get`, `get_many` by key, `pull`, `remember`) answered by a fresh value.
    hits: int = 0
    #: Questions that found nothing; `remember` computed then, or waited for who did.
    misses: int = 0
    #: Questions answered by an old value: in its time of `stale`, or as the last good one.
    stale: int = 0
    #: Times that the store failed; each cost a miss or a write.
    errors: int = 0
    #: Calls of the function of a `remember`, in the background too.
    computations: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return the numbers by name."""
        return asdict(self)
