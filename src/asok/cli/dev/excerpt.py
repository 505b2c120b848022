"""The lines of source around one place, with what failed in them marked."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Columns", "SourceLine", "excerpt"]

#: Start and end in characters, counted from 0; None where they aren't known.
Columns = tuple[int | None, int | None]

_AROUND: Final = 5


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of source; `marked` is where it failed, None on every line but that one."""

    number: int
    text: str
    marked: tuple[int, int] | None = None

    @property
    def narrow(self) -> bool:
        """Whether only a part of the line is marked, which is worth underlining."""
        return self.marked is not None and self.parts[1].strip() != self.text.strip()

    @property
    def parts(self) -> tuple[str, str, str]:
        """The text before, in and after what is marked."""
        start, end = self.marked or (0, 0)
        return self.text[:start], self.text[start:end], self.text[end:]


def excerpt(path: Path, line: int, columns: Columns | None = None) -> tuple[SourceLine, ...]:
    """Return the lines around `line` (1-based; 0 is the file as a whole) of a text file.

    Nothing where the file can't be read.
    """
    lines = linecache.getlines(str(path))
    if not lines:
        try:
            lines = path.read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return ()
    found: list[SourceLine] = []
    for number in range(max(1, line - _AROUND), min(len(lines), max(line, 1) + _AROUND) + 1):
        text = lines[number - 1].rstrip("\n")
        marked = None
        if number == line:
            start, end = columns or (None, None)
            indent = len(text) - len(text.lstrip())
            start = min(start, len(text)) if start is not None else indent
            marked = (start, end if end is not None and end > start else len(text))
        found.append(SourceLine(number, text, marked))
    return tuple(found)
