"""The code blocks of the documentation: what their info strings say, and the sites they make.

A fence opens with a language and options: ```` ```python file=src/pages/tea/page.py try=/tea ````.
Blocks with `file=` are written into one site per document, in order. Where a block rewrites a
file, what was there before has to work first: a tutorial's steps are all checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

__all__ = ["CONTENT", "Block", "blocks_of", "documents", "steps"]

CONTENT = Path(__file__).parents[2] / "docs" / "content"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, where it stands, and its options."""

    document: Path
    line: int
    language: str
    text: str
    file: str = ""
    attempt: str = ""

    @property
    def name(self) -> str:
        return f"{self.document.relative_to(CONTENT)}:{self.line}"


def documents() -> list[Path]:
    return sorted(CONTENT.rglob("*.md"))


def blocks_of(document: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a document. Fails for an option that nobody reads."""
    text = document.read_text("utf-8")
    for token in MarkdownIt("commonmark").parse(text):
        if token.type != "fence" or token.map is None:
            continue
        language, *options = token.info.split()
        known = dict(option.split("=", 1) for option in options)
        unknown = set(known) - {"file", "try"}
        assert not unknown, f"{document}:{token.map[0] + 1} has the options {sorted(unknown)}"
        yield Block(
            document,
            token.map[0] + 1,
            language,
            token.content,
            known.get("file", ""),
            known.get("try", ""),
        )


def steps(document: Path) -> Iterator[list[Block]]:
    """Yield the blocks to write before each time that the site is to be checked."""
    waiting: list[Block] = []
    for block in blocks_of(document):
        if not block.file:
            continue
        if any(block.file == other.file for other in waiting):
            yield waiting
            waiting = []
        waiting.append(block)
    if waiting:
        yield waiting
