"""What the checks of a build know of each page, kept with the release for the next build.

A page that did not change since then is not read again, and its facts go into the new book as
they are: rebuilding a site with one changed page reads one page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from asok.pages.outline import candidates, hides_from_robots
from asok.pages.stored import Record

__all__ = ["FILE_NAME", "Facts", "FactsBook"]

FILE_NAME: Final = "checks.bin"
#: Raise it when the same page is to give other facts.
_FORMAT: Final = 2
#: The content part of a published asset's name: a new stylesheet is no new text of the page.
_HASHED: Final = re.compile(rb"-[0-9a-f]{12}\.")


class Facts(msgspec.Struct, array_like=True):
    """One page. `links` are the numbers of the texts that may be links, see `FactsBook.links`.

    `text` is a digest of what it says, and `changed` when that became another one (seconds
    since the epoch; None where no earlier build tells). `digest` is its record's. `settled`
    says that its links were found to be fine for as long as the site answers to the same paths.
    """

    digest: str
    links: list[int]
    noindex: bool
    text: str
    changed: float | None = None
    settled: bool = False


class _File(msgspec.Struct):
    """`site` stands for what answered to the links; `unused` of `values` may not be used."""

    format: int
    values: list[str]
    pages: dict[str, Facts]
    site: str = ""
    unused: int = 0


class FactsBook:
    """The facts of the pages of one build; `previous` is the folder of the release before it.

    `site` stands for what answers to links beside the pages themselves; `before` is what the
    previous build had there, empty where it did not look or there is none.
    """

    def __init__(self, previous: Path | None, *, now: float) -> None:
        self._now = now
        self._known: Mapping[str, Facts] | None = None
        self._values: list[str] = []
        self._numbers: dict[str, int] | None = None
        self._unused = 0
        self.pages: dict[str, Facts] = {}
        self.read = 0
        self.site = self.before = ""
        if previous is not None:
            with suppress(OSError, msgspec.DecodeError):
                data = (previous / FILE_NAME).read_bytes()
                file = msgspec.msgpack.decode(data, type=_File)
                if file.format == _FORMAT:
                    self._known, self._values, self._unused = file.pages, file.values, file.unused
                    self.before = file.site

    def take(self, record: Record) -> Facts | None:
        """Return the facts of a page whose body the previous build had, None where it hadn't."""
        known = self._known.get(record.path) if self._known is not None else None
        if known is None or known.digest != record.digest:
            return None
        self.pages[record.path] = known
        return known

    def add(self, record: Record, body: Callable[[], bytes]) -> Facts:
        """Return the facts of a page, by reading its body only where it changed."""
        facts = self.take(record)
        if facts is None:
            known = self._known.get(record.path) if self._known is not None else None
            facts = self.pages[record.path] = self._facts(record.digest, body(), known)
        return facts

    def _facts(self, digest: str, data: bytes, known: Facts | None) -> Facts:
        self.read += 1
        text = hashlib.blake2b(_HASHED.sub(b"-.", data), digest_size=8).hexdigest()
        changed = self._now if self._known is not None else None
        if known is not None:
            self._unused += len(known.links)
            if known.text == text:
                changed = known.changed
        links = [self._number(value) for value in sorted(candidates(data))]
        return Facts(digest, links, hides_from_robots(data), text, changed)

    def _number(self, value: str) -> int:
        if self._numbers is None:
            self._numbers = {value: number for number, value in enumerate(self._values)}
        number = self._numbers.setdefault(value, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def links(self, facts: Facts) -> frozenset[str]:
        """Return the texts on a page that may be links."""
        return frozenset([self._values[number] for number in facts.links])

    def encode(self) -> bytes:
        """Return what the next build reads."""
        for path in (self._known or {}).keys() - self.pages.keys():
            self._unused += len((self._known or {})[path].links)
        if self._unused > len(self._values) // 2:
            self._renumber()
        file = _File(_FORMAT, self._values, self.pages, self.site, self._unused)
        return msgspec.msgpack.encode(file)

    def _renumber(self) -> None:
        """Forget the texts that no page has any more."""
        used = sorted({number for facts in self.pages.values() for number in facts.links})
        numbers = {old: new for new, old in enumerate(used)}
        for facts in self.pages.values():
            facts.links = [numbers[number] for number in facts.links]
        self._values = [self._values[number] for number in used]
        self._numbers, self._unused = None, 0
