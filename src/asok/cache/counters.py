"""How often a cache answered, and how."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Since the process began. Not exact over threads: counting is not worth a lock."""

    hits: int = 0
    misses: int = 0
    stale: int = 0
    errors: int = 0
    computations: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return the numbers by name."""
        return asdict(self)
