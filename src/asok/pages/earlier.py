"""The release before this build: which of its pages are still what a render would give.

A page is taken over when nothing that it was made from has changed: what every page depends
on (the site's Python, its settings, the installed packages), its own module, the templates
that were used and where they were found, the files that its code read, the addresses of its
assets, its tags. A page that read data without declaring tags is always rendered again.
Taking over is naming the same body in the same record, `rendered_at` included.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from asok.contents import remembered
from asok.dependencies import ABSENT, digest
from asok.errors import AssetError
from asok.pages import traces
from asok.pages.draft import ReleaseDraft
from asok.pages.plan import Job
from asok.pages.release import Release
from asok.pages.stored import Record
from asok.pages.tags import path_tag, route_tag
from asok.pages.traces import Trace, Traces

__all__ = ["Earlier", "Site"]


class Find(Protocol):
    """Finds a template as a page does."""

    def __call__(self, name: str, *, page_dir: Path | None) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site as it is now.

    `grounds` and `modules` are as `Traces` has them; `find` gives a template's file, `asset`
    an asset's URL; `tag_moment` says when one of several tags was last invalidated (seconds
    since the epoch). `components` tells whether every template may run the site's code.
    """

    root: Path
    grounds: Mapping[str, str]
    modules: Mapping[str, str]
    find: Find
    asset: Callable[[str], str]
    tag_moment: Callable[..., float]
    components: bool = False


class Earlier:
    """What can be taken over from `release`, whose traces are `found`."""

    def __init__(self, release: Release, found: Traces, site: Site, *, now: float) -> None:
        self.traces = found
        self._release = release
        self._site = site
        self._now = now
        self._digests: dict[str, str] = {}
        self._lookups: dict[object, str | None] = {}
        self._verdicts: dict[int, str | None] = {}
        changed = self._changed(found.shared)
        self._shared = f"{changed} changed" if changed else None

    @classmethod
    def open(
        cls, root: Path, site: Site, *, now: float, known: Release | None = None
    ) -> Earlier | str:
        """Return the current release of `root`, or why every page has to be rendered.

        `known` is the one that was read already, and read again where another is current.
        """
        try:
            name = (root / "current").read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            return "this is the first build"
        release = known
        if known is None or known.folder.name != name:
            release = Release.current(root)
        if release is None:
            return "the last release can't be read"
        try:
            found = traces.read(release.folder)
        except FileNotFoundError:
            return "the last build noted nothing"
        except (OSError, ValueError) as error:
            return f"the notes of the last build can't be read ({error})"
        if found.root != str(site.root):
            return f"the site was in {found.root}"
        different = _difference(found.grounds, site.grounds)
        return f"{different} changed" if different else cls(release, found, site, now=now)

    def why(self, job: Job) -> str | None:
        """Say why the page of `job` has to be rendered, or None where it is as it would be."""
        match, route = job.match, job.match.route
        record = self._release.records.get(match.key)
        number, _ = self.traces.pages.get(match.key, (-1, 0))
        if record is None or not 0 <= number < len(self.traces.traces):
            return "it is new"
        if record.pattern != route.pattern:
            return f"{record.pattern} made it before"
        if self.traces.modules.get(route.pattern) != self._site.modules.get(route.pattern):
            return f"{self._name(str(route.module))} changed"
        if number not in self._verdicts:
            self._verdicts[number] = self._verdict(self.traces.traces[number])
        if (verdict := self._verdicts[number]) is not None:
            return verdict
        return self._why_data(job, record, self.traces.traces[number])

    def _why_data(self, job: Job, record: Record, trace: Trace) -> str | None:
        if job.options.revalidate is not None:
            age = self._now - record.rendered_at
            if not 0 <= age < job.options.revalidate:
                return "it is older than its REVALIDATE"
        if job.match.route.module is not None or self._site.components:
            if self._shared is not None:
                return self._shared
            if self.traces.shared_data and not record.tags:
                return "it may show data that another page read, and has no tags"
        if trace.data and not record.tags:
            return "it read data and has no tags"
        since = record.moment or record.rendered_at
        own = (*record.tags, path_tag(record.path), route_tag(record.pattern))
        if self._site.tag_moment(*own) < since:
            return None
        for tag in record.tags:
            if self._site.tag_moment(tag) >= since:
                return f"the tag {tag!r} was invalidated"
        return "it was invalidated"

    def _verdict(self, trace: Trace) -> str | None:
        """Why a page of this trace has to be rendered, as far as files tell."""
        if trace.lookups not in self._lookups:
            self._lookups[trace.lookups] = self._looked_up(trace)
        if (moved := self._lookups[trace.lookups]) is not None:
            return moved
        for name, url in trace.assets:
            if self._asset(name) != url:
                return f"the asset {name} changed"
        changed = self._changed(dict(trace.files))
        return f"{changed} changed" if changed else None

    def _looked_up(self, trace: Trace) -> str | None:
        for folder, name, file, seen in trace.lookups:
            found = self._site.find(name, page_dir=Path(folder) if folder else None)
            if (found or "") != file:
                return f"the template {name} is found elsewhere now"
            if self._digest(file) != seen:
                return f"the template {self._name(file)} changed"
        return None

    def _asset(self, name: str) -> str | None:
        try:
            return self._site.asset(name)
        except AssetError:  # the render says it better, with the line
            return None

    def _changed(self, files: Mapping[str, str]) -> str | None:
        return next((self._name(file) for file in files if self._digest(file) != files[file]), None)

    def _digest(self, file: str) -> str:
        known = self._digests.get(file)
        if known is None:
            known = self._digests[file] = _digest(file)
        return known

    def _name(self, file: str) -> str:
        """A file as people name it: from the site's folder on."""
        path = Path(file)
        return (
            str(path.relative_to(self._site.root)) if path.is_relative_to(self._site.root) else file
        )

    def take(self, job: Job, draft: ReleaseDraft) -> tuple[Record, Trace, int] | None:
        """Put the page of `job` into `draft` as it is; None where its body is not whole."""
        record = self._release.records[job.match.key]
        number, size = self.traces.pages[job.match.key]
        if not draft.take(self._release, record, size):
            return None
        return record, self.traces.traces[number], size


def _digest(file: str) -> str:
    if not file or file.endswith(os.sep):
        return digest(file) if file else ABSENT
    try:
        return remembered(file)
    except OSError:
        return ABSENT


def _difference(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """The first name, in order, whose value is not the same in both."""
    return next(
        (name for name in sorted({*before, *now}) if before.get(name) != now.get(name)), None
    )
