"""Size budgets: what a first visit downloads of a page's own, against what it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asok.sizes import shown_bytes

__all__ = ["Weight", "WeightPart"]


@dataclass(frozen=True, slots=True)
class WeightPart:
    """One thing that is downloaded: its path, and its size in bytes as it is sent."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Weight:
    """A page's HTML, scripts and stylesheets as they are sent (compressed), and its budget.

    `parts` begin with the page itself. Sizes are bytes.
    """

    path: str
    parts: Sequence[WeightPart]
    budget: int

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(part.size for part in self.parts)

    @property
    def over(self) -> int:
        """Bytes beyond the budget; 0 where it is kept."""
        return max(self.size - self.budget, 0)

    @property
    def biggest(self) -> list[WeightPart]:
        """The parts, the largest first."""
        return sorted(self.parts, key=lambda part: (-part.size, part.name))

    def __str__(self) -> str:
        shown = ", ".join(f"{part.name} {shown_bytes(part.size)}" for part in self.biggest[:3])
        more = f" and {len(self.parts) - 3} more" if len(self.parts) > 3 else ""
        return (
            f"{self.path} weighs {shown_bytes(self.size)}, {shown_bytes(self.over)} more than its "
            f"budget of {shown_bytes(self.budget)}: {shown}{more}"
        )
