"""What a build did: one line a page, for the table and for `--json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from asok.pages.stored import Record

__all__ = ["Frozen", "PageReport", "Report"]


@dataclass(frozen=True, slots=True)
class PageReport:
    """One page of a build. `size` is in bytes, `seconds` is the time of its render."""

    path: str
    pattern: str
    file: Path
    mode: Literal["static", "isr"]
    size: int = 0
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole build: its pages in the order of their paths, its time, its processes."""

    pages: tuple[PageReport, ...]
    seconds: float
    workers: int = 1

    @property
    def size(self) -> int:
        """Bytes of all pages."""
        return sum(page.size for page in self.pages)

    @property
    def failed(self) -> tuple[PageReport, ...]:
        """The pages that could not be built."""
        return tuple(page for page in self.pages if page.error is not None)


class Frozen(msgspec.Struct, frozen=True):
    """What became of a job: the record of the page, or why there is none.

    It travels between processes, so the error is text; `file` and `line` are the user's.
    """

    index: int
    seconds: float
    size: int = 0
    record: Record | None = None
    error: str | None = None
    file: str | None = None
    line: int | None = None
    trace: str = ""
