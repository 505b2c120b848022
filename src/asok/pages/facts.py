"""What the checks of a build know of each page, kept with the release for the next build.

A page that did not change since then is not read again: rebuilding a site with one changed
page reads one page.
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
_FORMAT: Final = 1
#: The content part of a published asset's name: a new stylesheet is no new text of the page.
_HASHED: Final = re.compile(rb"-[0-9a-f]{12}\.")


class Facts(msgspec.Struct, array_like=True):
    """One page. `links` are the texts that may be links, `text` a digest of what it says.

    `changed` is when its text became another one (seconds since the epoch), None where no
    earlier build tells. `digest` is its record's.
    """

    digest: str
    links: frozenset[str]
    noindex: bool
    text: str
    changed: float | None = None


class _Kept(msgspec.Struct, array_like=True):
    digest: str
    links: list[int]
    noindex: bool
    text: str
    changed: float | None


class _File(msgspec.Struct):
    format: int
    values: list[str]
    pages: dict[str, _Kept]


class FactsBook:
    """The facts of the pages of one build; `previous` is the folder of the release before it."""

    def __init__(self, previous: Path | None, *, now: float) -> None:
        self._now = now
        self._before: Mapping[str, _Kept] | None = None
        self._values: list[str] = []
        self.pages: dict[str, Facts] = {}
        self.read = 0
        if previous is not None:
            with suppress(OSError, msgspec.DecodeError):
                data = (previous / FILE_NAME).read_bytes()
                file = msgspec.msgpack.decode(data, type=_File)
                if file.format == _FORMAT:
                    self._before, self._values = file.pages, file.values

    def add(self, record: Record, body: Callable[[], bytes]) -> Facts:
        """Return the facts of a page, by reading its body only where it changed."""
        before = self._before.get(record.path) if self._before is not None else None
        if before is not None and before.digest == record.digest:
            links = frozenset([self._values[at] for at in before.links])
            facts = Facts(before.digest, links, before.noindex, before.text, before.changed)
        else:
            self.read += 1
            data = body()
            text = hashlib.blake2b(_HASHED.sub(b"-.", data), digest_size=8).hexdigest()
            changed = self._now if self._before is not None else None
            if before is not None and before.text == text:
                changed = before.changed
            facts = Facts(
                record.digest,
                frozenset(candidates(data)),
                hides_from_robots(data),
                text,
                changed,
            )
        self.pages[record.path] = facts
        return facts

    def encode(self) -> bytes:
        """Return what the next build reads."""
        numbers: dict[str, int] = {}
        pages = {
            path: _Kept(
                facts.digest,
                [numbers.setdefault(value, len(numbers)) for value in sorted(facts.links)],
                facts.noindex,
                facts.text,
                facts.changed,
            )
            for path, facts in self.pages.items()
        }
        return msgspec.msgpack.encode(_File(_FORMAT, list(numbers), pages))
