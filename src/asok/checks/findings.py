"""What the checks of a build found, for the terminal and for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asok.pages.budget import Weight
from asok.pages.links import BrokenLink, Redirected

__all__ = ["Findings", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A broken link where its author finds it: `file` and `line`, and the pages it is on.

    `line` is None where the link is made up by code; `html_line` is its line in the first
    page's HTML then.
    """

    link: BrokenLink
    pages: Sequence[str]
    file: Path
    line: int | None = None
    html_line: int | None = None

    def describe(self, root: Path) -> str:
        """Return two lines: where it is written, and what is wrong with it."""
        file = self.file.relative_to(root) if self.file.is_relative_to(root) else self.file
        where = f"{file}:{self.line}" if self.line is not None else str(file)
        others = f" and {len(self.pages) - 1} more" if len(self.pages) > 1 else ""
        made = f", line {self.html_line} of its HTML" if self.html_line is not None else ""
        fix = f" {self.link.fix}" if self.link.fix else ""
        return (
            f"{where}  {self.link.link}\n"
            f"      on {self.pages[0]}{others}{made}: {self.link.problem}.{fix}"
        )

    def as_json(self, root: Path) -> dict[str, Any]:
        """The link for `--json`."""
        file = self.file.relative_to(root) if self.file.is_relative_to(root) else self.file
        return {
            "url": self.link.link.value,
            "element": str(self.link.link),
            "problem": self.link.problem,
            "fix": self.link.fix or None,
            "pages": list(self.pages),
            "file": file.as_posix(),
            "line": self.line,
            "html_line": self.html_line,
        }


@dataclass(slots=True)
class Findings:
    """All of it. `links` is how many different links the pages hold, each page for itself."""

    root: Path
    links: int = 0
    broken: Sequence[Place] = ()
    redirected: Sequence[Redirected] = ()
    weights: Sequence[Weight] = ()
    files: Sequence[str] = ()
    listed: int = 0
    notes: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        """The findings for `--json`. Sizes are bytes."""
        return {
            "links": {
                "checked": self.links,
                "broken": [place.as_json(self.root) for place in self.broken],
                "redirects": [
                    {"page": one.page, "url": one.link.value, "target": one.target}
                    for one in self.redirected
                ],
            },
            "weights": [
                {
                    "path": weight.path,
                    "size": weight.size,
                    "budget": weight.budget,
                    "over": weight.over,
                    "parts": {part.name: part.size for part in weight.biggest},
                }
                for weight in self.weights
            ],
            "files": list(self.files),
            "notes": list(self.notes),
        }
