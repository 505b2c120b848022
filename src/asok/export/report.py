"""What an export wrote, what it left out, and what works less well without a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["ExportReport", "Exported", "Shortfall"]

Kind = Literal["left out", "reduced"]


@dataclass(frozen=True, slots=True)
class Exported:
    """One page that was written: its path, its file below the folder, its size in bytes."""

    path: str
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a static host can't do: `subject` is a pattern or a path.

    "left out" is not in the export; "reduced" is there, and does less than on a server.
    """

    kind: Kind
    subject: str
    what: str
    why: str


@dataclass(slots=True)
class ExportReport:
    """A finished export. `files` counts everything that was written, `size` its bytes."""

    pages: list[Exported] = field(default_factory=list[Exported])
    shortfalls: list[Shortfall] = field(default_factory=list[Shortfall])
    notes: list[str] = field(default_factory=list[str])
    files: int = 0
    size: int = 0

    def lack(self, kind: Kind, subject: str, what: str, why: str) -> None:
        """Add what can't be done."""
        found = Shortfall(kind, subject, what, why)
        if found not in self.shortfalls:
            self.shortfalls.append(found)

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`. Sizes are bytes."""

        def of(kind: Kind) -> list[dict[str, str]]:
            return [
                {"subject": one.subject, "what": one.what, "why": one.why}
                for one in self.shortfalls
                if one.kind == kind
            ]

        return {
            "files": self.files,
            "size": self.size,
            "pages": [
                {"path": page.path, "file": page.file, "size": page.size} for page in self.pages
            ],
            "left_out": of("left out"),
            "reduced": of("reduced"),
            "notes": list(self.notes),
        }
