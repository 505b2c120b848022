"""The search over all documents: an index of their sections, built once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape
from src.library.document import all_documents

__all__ = ["Hit", "search"]

WORD = re.compile(r"[a-z0-9_@]+")
ENDING = re.compile(r"(?<=[a-z]{3})(ings?|ed|es|s|e)$")
#: How much a word weighs where it stands: a document's title, a heading, its summary, the text.
TITLE, HEADING, SUMMARY, TEXT = 16.0, 6.0, 3.0, 1.0
EXCERPT = 110


@dataclass(frozen=True)
class Hit:
    """One section that was found. `excerpt` is HTML with the words marked."""

    url: str
    title: str
    heading: str
    excerpt: Markup


@dataclass(frozen=True)
class Entry:
    """One section in the index."""

    url: str
    title: str
    heading: str
    text: str


@cache
def _index() -> tuple[list[Entry], dict[str, dict[int, float]]]:
    """The sections, and for every word the weight that it has in each of them."""
    entries: list[Entry] = []
    words: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for document in all_documents():
        for section in document.body.sections:
            at = len(entries)
            url = f"{document.url}#{section.anchor}" if section.anchor else document.url
            text = section.text or document.description
            entries.append(Entry(url, document.title, section.title, text))
            if not section.anchor:
                _add(words, at, document.title, TITLE)
                _add(words, at, document.description, SUMMARY)
            _add(words, at, section.title, HEADING)
            _add(words, at, section.text, TEXT)
    return entries, words


def _add(words: dict[str, dict[int, float]], at: int, text: str, weight: float) -> None:
    for word in WORD.findall(text.lower()):
        # The tenth mention says less than the first.
        words[word][at] += weight / (1 + words[word][at] / 4)


def search(query: str, limit: int = 8) -> list[Hit]:
    """Return the best sections that have every word of `query`; the last may be unfinished."""
    asked = WORD.findall(query.lower())[:8]
    if not asked:
        return []
    entries, words = _index()
    scores: dict[int, float] | None = None
    for number, word in enumerate(asked):
        found: dict[int, float] = defaultdict(float)
        for known in _known(word, words, prefix=number == len(asked) - 1):
            for at, weight in words[known].items():
                found[at] += weight if known == word else weight / 2
        if scores is None:
            scores = found
        else:
            scores = {at: scores[at] + found[at] for at in scores.keys() & found.keys()}
    best = sorted((scores or {}).items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [_hit(entries[at], asked) for at, _ in best]


def _known(word: str, words: Iterable[str], *, prefix: bool) -> list[str]:
    """The words of the index that `word` stands for: "caches" is found by "caching"."""
    stem = ENDING.sub("", word)
    return [
        known
        for known in words
        if ENDING.sub("", known) == stem or (prefix and known.startswith(word))
    ]


def _hit(entry: Entry, asked: list[str]) -> Hit:
    stems = sorted((ENDING.sub("", word) for word in asked), key=len, reverse=True)
    marks = re.compile(rf"(?:{'|'.join(map(re.escape, stems))})[a-z]*", re.IGNORECASE)
    flat = " ".join(entry.text.split())
    first = marks.search(flat)
    start = max(0, first.start() - EXCERPT // 3) if first else 0
    start = flat.rfind(" ", 0, start) + 1 if start else 0
    piece = flat[start : start + EXCERPT]
    parts: list[str] = ["…"] if start else []
    at = 0
    for found in marks.finditer(piece):
        parts += [escape(piece[at : found.start()]), f"<mark>{escape(found[0])}</mark>"]
        at = found.end()
    parts += [escape(piece[at:]), "…" if start + EXCERPT < len(flat) else ""]
    excerpt = Markup("".join(parts))  # noqa: S704 (escaped above)
    return Hit(entry.url, entry.title, entry.heading, excerpt)
