"""Which version of a page counts: that of the release, one made after it, or an inherited one.

Of the release's page and the overlay's the one rendered later counts, so that a preserved
cache never hides a newer release. A page that a build once listed and the release no longer
does is gone. One that other code made on demand is stale, until this code has made its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from asok.pages.inherited import Inheritance
from asok.pages.note import Note
from asok.pages.overlay import Seen
from asok.pages.release import Release

__all__ = ["Layers"]

_EARLIER: Final = "made by earlier code"


class Layers:
    """What is below and beside an overlay of the code of `fingerprint`: the `release` (None:
    nothing was built), and pages `inherited` from other code.
    """

    def __init__(
        self, release: Release | None, inherited: Inheritance, *, fingerprint: str
    ) -> None:
        self._release = release
        self._inherited = inherited
        self.outdated = release is not None and release.fingerprint != fingerprint

    def listed(self, key: str) -> bool | None:
        """Whether the release lists `key`; None where there is none to ask.

        A release of other code doesn't know what this code lists.
        """
        if self._release is None:
            return None
        return True if key in self._release.records else None if self.outdated else False

    def resolve(self, key: str, seen: Seen) -> Seen:
        """Return the page of `key` that counts, with its note, from what the overlay has."""
        page, note, stamp = seen
        release, base = self._release, None
        if release is not None:
            base = release.records.get(key)
            if page is not None and page.listed and base is None and not self.outdated:
                page = None  # listed by an earlier build of this code, and delisted since
        if release is not None and base is not None:
            if note.at and note.at <= base.rendered_at:
                # The build is newer than what the note is about.
                note = Note(path=key, generation=note.generation)
            if page is None or page.rendered_at <= base.rendered_at:
                page = None if note.gone else release.read(key)
        elif page is None and not note.gone:
            page = self._inherited.get(key)
            if page is not None and page.listed and release is not None:
                page = None
            if page is not None and not note.invalidated:
                note = msgspec.structs.replace(note, invalidated="stale", why=_EARLIER)
        return Seen(page, note, stamp)

    def below(self, key: str) -> bool:
        """Whether there is a page of `key` that removing the overlay's would bring to light."""
        return bool(self.listed(key)) or self._inherited.get(key) is not None

    def paths(self) -> Iterator[str]:
        """Every key that a page is there for, some of them twice, and some delisted."""
        if self._release is not None:
            yield from self._release.records
        yield from self._inherited.paths()
