"""Source maps: the comment that links one, and a map that follows the edits of its script.

A script that has a map was made by a tool; it is not minified again, so all that moves in it
are the references that a build writes anew. A map's mappings hold, for each generated line,
segments whose first field is a column relative to the one before (ECMA-426, section 9):
where an edit makes a line longer, only the first segment behind it changes.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from asok.assets.references import Edit

__all__ = ["Link", "link", "shifted"]

# "Extraction without parsing", section 11.1.2.1.2: the last comment of the last line counts.
_LINK: Final = re.compile(
    r"(?://|/\*)[#@][ \t]*sourceMappingURL=(?P<url>[^\s'\"`*]+)[ \t]*(?:\*/)?\s*\Z"
)
_TAIL: Final = 4096
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUE: Final = {character: value for value, character in enumerate(_BASE64)}
_MORE: Final = 32


@dataclass(frozen=True, slots=True)
class Link:
    """The link to a source map: the URL as it is written, where it stands, and its comment."""

    url: str
    start: int
    end: int
    comment: int

    @property
    def inline(self) -> bool:
        """True where the map itself is in the URL."""
        return self.url.startswith("data:")


def link(text: str) -> Link | None:
    """Return the link at the end of a script or stylesheet, None where it has none."""
    found = _LINK.search(text, max(text.rfind("sourceMappingURL=") - _TAIL, 0))
    if found is None:
        return None
    return Link(found["url"], found.start("url"), found.end("url"), found.start())


def shifted(source_map: str, text: str, edits: Sequence[Edit]) -> str:
    """Return the map of `text` after `edits`. Raises `ValueError` for what is no map.

    An edit never adds or takes away a line.
    """
    read: Any = json.loads(source_map)
    known = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    mappings: Any = known.get("mappings")
    if not isinstance(mappings, str):
        raise ValueError("it has no mappings")
    if not edits:
        return source_map
    lines = mappings.split(";")
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    by_line: dict[int, list[tuple[int, int]]] = {}
    for edit in edits:
        line = bisect_right(starts, edit.start) - 1
        # Columns are UTF-16 units (section 3.1).
        column = _units(text[starts[line] : edit.end])
        grows = _units(edit.text) - _units(text[edit.start : edit.end])
        by_line.setdefault(line, []).append((column, grows))
    for line, moves in by_line.items():
        if line < len(lines):
            lines[line] = _moved(lines[line], moves)
    known["mappings"] = ";".join(lines)
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def _moved(line: str, moves: list[tuple[int, int]]) -> str:
    segments: list[str] = []
    column = 0
    for segment in line.split(",") if line else []:
        delta, rest = _first(segment)
        column += delta
        while moves and column >= moves[0][0]:
            delta += moves.pop(0)[1]
        segments.append(_encoded(delta) + rest)
    return ",".join(segments)


def _first(segment: str) -> tuple[int, str]:
    """The first number of a segment (base64 VLQ: five bits each, the sign in the last)."""
    value = shift = 0
    for position, character in enumerate(segment):
        digit = _VALUE.get(character)
        if digit is None:
            break
        value += (digit % _MORE) << shift
        shift += 5
        if digit < _MORE:
            return (-(value >> 1) if value & 1 else value >> 1), segment[position + 1 :]
    raise ValueError(f"it has the segment {segment[:20]!r}")


def _encoded(number: int) -> str:
    value = abs(number) << 1 | (number < 0)
    text = ""
    while value >= _MORE:
        text += _BASE64[value % _MORE | _MORE]
        value >>= 5
    return text + _BASE64[value]


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
