"""What a build did: one line a page, for the table and for `--json`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from asok.pages.stored import Record
from asok.pages.traces import Trace

__all__ = ["Frozen", "PageReport", "Report"]


class PageReport(msgspec.Struct, frozen=True):
    """One page of a build. `size` is in bytes, `seconds` is the time of its render.

    `reason` says why it was rendered; None where it was taken over from the last build.
    """

    path: str
    pattern: str
    file: Path
    mode: Literal["static", "isr"]
    size: int = 0
    seconds: float = 0.0
    error: str | None = None
    reason: str | None = "every page is rendered"

    @property
    def reused(self) -> bool:
        """Whether the page is the last build's."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole build: its pages in the order of their paths, its time, its processes.

    `full` says why every page was rendered; None where the last build was looked at.
    """

    pages: tuple[PageReport, ...]
    seconds: float
    workers: int = 1
    full: str | None = None

    @property
    def size(self) -> int:
        """Bytes of all pages."""
        return sum(page.size for page in self.pages)

    @property
    def reused(self) -> int:
        """How many pages were taken over from the last build."""
        return sum(page.reused for page in self.pages)

    @property
    def reasons(self) -> dict[str, int]:
        """Why pages were rendered, and how many for each reason, most first."""
        counted = Counter(page.reason for page in self.pages if page.reason is not None)
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def failed(self) -> tuple[PageReport, ...]:
        """The pages that could not be built."""
        return tuple(page for page in self.pages if page.error is not None)


class Frozen(msgspec.Struct, frozen=True):
    """What became of a job: the record of the page, or why there is none.

    It travels between processes, so the error is text; `file` and `line` are the user's.
    `trace` is what the page was made from; `opened` that its code opened a way to data that
    may last, `kept` that the site's modules have kept something since the pages were planned.
    """

    index: int
    seconds: float
    size: int = 0
    record: Record | None = None
    error: str | None = None
    file: str | None = None
    line: int | None = None
    stack: str = ""
    trace: Trace | None = None
    opened: bool = False
    kept: bool = False
