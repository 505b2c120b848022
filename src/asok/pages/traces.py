"""What each page of a release was made from, kept beside its manifest for the next build.

Most pages of a route are made from the same files, so a trace is stored once and pages name
it by its number. Workers never read this file: it is apart from the manifest.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from asok import dependencies
from asok.dependencies import Seen
from asok.kept import kept
from asok.pages.stored import Record

__all__ = ["FILE_NAME", "Trace", "Traces", "Tracing"]

FILE_NAME: Final = "traces.json"
#: Raise it when a field changes its meaning: the next build then renders everything.
FORMAT: Final = 1


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """What a render used: templates as (folder, name, file, digest), files that code read as
    (name, digest), assets as (name, URL), and whether it read data that leaves no trace."""

    lookups: tuple[tuple[str, str, str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    assets: tuple[tuple[str, str], ...] = ()
    data: bool = False

    @classmethod
    def of(cls, seen: Seen) -> Trace:
        """The trace of what was noted."""
        return cls(
            tuple(sorted((*key, *found) for key, found in seen.lookups.items())),
            tuple(sorted(seen.files.items())),
            tuple(sorted(seen.assets.items())),
            seen.data,
        )


class Traces(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole release was made from.

    `grounds` is what every page depends on, by name; `modules` the digest of each route's own
    module, by pattern. `shared` files and `shared_data` were read where the site's modules may
    have kept them, so every page that runs code may show them. `pages` holds the number of
    each page's trace and the size of its body.
    """

    format: int
    root: str
    grounds: dict[str, str]
    modules: dict[str, str]
    shared: dict[str, str]
    shared_data: bool
    traces: list[Trace]
    pages: dict[str, tuple[int, int]]


class Tracing:
    """The notes of one build. Make it while `dependencies.watch(root)` is on."""

    def __init__(
        self, root: Path, *, grounds: Mapping[str, str], modules: Mapping[str, str]
    ) -> None:
        assert dependencies.current is not None
        self._root = root
        self._grounds = dict(grounds)
        self._modules = dict(modules)
        self._outside = dependencies.current
        self._known = kept(root)
        self._numbers: dict[Trace, int] = {}
        self._pages: dict[str, tuple[int, int]] = {}
        self._kept = False
        self._opened = False
        self._shared: dict[str, str] = {}
        self._shared_data = False

    @contextmanager
    def planning(self) -> Generator[None]:
        """What is read inside the block is forgotten unless the site's modules kept something:
        which pages there are is asked again by the next build."""
        with dependencies.noting(Seen()) as seen:
            yield
        now = kept(self._root)
        if now != self._known:
            self._outside.add(seen)
            self._known = now
        self._opened = seen.open

    def changed(self) -> bool:
        """Whether the site's modules have kept anything since the pages were planned."""
        return kept(self._root) != self._known

    def add(self, record: Record, trace: Trace, size: int) -> None:
        """Note what the page of `record` was made from; its body has `size` bytes."""
        number = self._numbers.setdefault(trace, len(self._numbers))
        self._pages[record.path] = (number, size)

    def share(self, earlier: Traces | None, *, kept: bool, opened: bool) -> None:
        """Take over what pages that are not rendered again may show, and whether the pages
        that were may have shared what they read."""
        self._kept, self._opened = self._kept or kept, self._opened or opened
        if earlier is not None:
            self._shared.update(earlier.shared)
            self._shared_data = self._shared_data or earlier.shared_data

    def encode(self) -> bytes:
        """The file."""
        outside = self._outside
        shared = {**self._shared, **outside.files}
        shared_data = self._shared_data or outside.data or outside.open or self._opened
        if self._kept:
            for trace in self._numbers:
                shared.update(trace.files)
                shared_data = shared_data or trace.data
        found = Traces(
            format=FORMAT,
            root=str(self._root),
            grounds=self._grounds,
            modules=self._modules,
            shared=shared,
            shared_data=shared_data,
            traces=list(self._numbers),
            pages=self._pages,
        )
        return msgspec.json.encode(found)


def read(folder: Path) -> Traces:
    """Read the traces of the release in `folder`. Raises `OSError`, `ValueError`."""
    found = msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Traces)
    if found.format != FORMAT:
        raise ValueError(f"format {found.format}, expected {FORMAT}")
    return found
