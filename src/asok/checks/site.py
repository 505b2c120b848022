"""The checks of a build as one callable, in the order in which they can fail it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

from asok.asgi.front import Files
from asok.asgi.parts import Parts
from asok.asgi.static_pages import page_renderer
from asok.assets import Assets, ManifestAssets, scan, site_roots
from asok.checks.answers import SiteAnswers
from asok.checks.discovery import PUBLIC, public_files
from asok.checks.findings import Findings, Place
from asok.checks.weights import weights
from asok.errors import BudgetError, LinkError
from asok.pages import Release, ReleaseDraft, Report
from asok.pages.facts import FILE_NAME, FactsBook
from asok.pages.links import BrokenLink, LinkCheck
from asok.pages.stored import Record
from asok.pages.written import WrittenAt, line_in
from asok.settings import Settings

__all__ = ["Links", "Site", "SiteChecks"]

Links = Literal["error", "warn", "off"]
#: So many broken links are described; the rest is counted.
_MOST_SHOWN = 20


class Site(Protocol):
    """What the checks know of an application."""

    root: Path
    settings: Settings
    parts: Parts
    assets: Assets

    @property
    def runtime(self) -> Files:
        """The runtime of live components."""
        ...


class SiteChecks:
    """A `building.Check`: raises `LinkError` and `BudgetError`, adds files to the draft.

    `links` says what a broken link does: "error" fails the build, "warn" is reported, "off"
    asks nothing. `budget` replaces the site's (bytes; None leaves it, 0 lifts it). `served`
    are paths that doors of the site answer. `findings` holds the result.
    """

    def __init__(
        self,
        site: Site,
        *,
        links: Links = "error",
        budget: int | None = None,
        served: Collection[str] = (),
    ) -> None:
        self._site = site
        self._links = links
        self._budget = site.settings.page_budget if budget is None else budget
        self._served = served
        self.findings = Findings(site.root)

    def __call__(self, draft: ReleaseDraft, report: Report) -> None:
        """Look at every page of `draft`."""
        book = FactsBook(Release.current_folder(draft.root), now=draft.created)
        for path, record in draft.records.items():
            # What was taken over is in the book if it is a document.
            if (path not in draft.taken or book.take(record) is None) and is_html(record):
                book.add(record, partial(draft.body, record))
        files, notes = public_files(self._site, draft.records, book)
        self.findings.notes.extend(notes)
        if self._links != "off":
            self._check_links(draft, report, book, {f"/{name}" for name in files})
        self.findings.weights = weights(self._site, draft, book, self._budget)
        self._refuse_heavy()
        for name, data in files.items():
            draft.add_file(f"{PUBLIC}/{name}", data)
        self.findings.files = tuple(sorted(files))
        draft.add_file(FILE_NAME, book.encode())

    def _check_links(
        self, draft: ReleaseDraft, report: Report, book: FactsBook, made: set[str]
    ) -> None:
        site = self._site
        base = urlsplit(site.settings.base_url)
        answers = SiteAnswers(
            site.parts.router,
            site.parts.pages,
            draft.records,
            files=(site.assets, site.runtime),
            served={*self._served, *made},
            assets=asset_names(site),
            render=page_renderer(site.parts),
        )
        origin = f"{base.scheme}://{base.netloc}" if base.netloc else ""
        check = LinkCheck(answers, mount=site.settings.base_path, origin=origin)
        book.site = _answering(site, {*self._served, *made})
        # Code and settings are as they were where the last build was looked at.
        same = report.full is None and book.site == book.before and draft.answers_alike
        settled = draft.taken if same else frozenset[str]()
        broken: list[BrokenLink] = []
        for record in draft.records.values():
            facts = book.pages.get(record.path)
            if facts is not None and facts.settled and record.path in settled:
                check.checked += len(facts.links)
                continue
            path = record.path.partition("\0")[0]
            target = dict(record.headers).get("location")
            if target is not None and record.status in (301, 308):
                found = check.redirects_to(path, target)
                broken += [found] if found is not None else []
            elif facts is not None:
                facts.settled = check.add(path, book.links(facts))
        broken += check.finish(lambda path: draft.body(draft.records[path]))
        self.findings.links = check.checked
        self.findings.redirected = tuple(check.redirected)
        self.findings.broken = self._placed(broken, draft)
        if self._links == "error":
            self._refuse_broken()

    def _placed(self, broken: list[BrokenLink], draft: ReleaseDraft) -> list[Place]:
        """Join the same link of several pages, and find where it was written."""
        pages: defaultdict[tuple[object, ...], list[BrokenLink]] = defaultdict(list)
        for one in broken:
            pages[one.link, one.problem].append(one)
        written = WrittenAt(self._site.root)
        places: list[Place] = []
        for same in pages.values():
            first = same[0]
            record = draft.records[first.page]
            route = self._site.parts.router.route(record.pattern)
            found = written.find(first.link.value, route.folder)
            file, line = found or (route.template or route.file, None)
            html_line = line_in(draft.body(record), first.link.value) if line is None else None
            paths = [one.page for one in same]
            places.append(Place(first, list(dict.fromkeys(paths)), file, line, html_line))
        return places

    def _refuse_broken(self) -> None:
        broken = self.findings.broken
        if not broken:
            return
        shown = [f"  {one.describe(self._site.root)}" for one in broken[:_MOST_SHOWN]]
        if len(broken) > _MOST_SHOWN:
            shown.append(f"  … and {len(broken) - _MOST_SHOWN} more")
        count = "1 link leads" if len(broken) == 1 else f"{len(broken)} links lead"
        raise LinkError(
            f"{count} nowhere:\n" + "\n".join(shown),
            fix='Correct them, mark what another server answers with rel="external", or build '
            "with --links warn.",
            report=self.findings,
        )

    def _refuse_heavy(self) -> None:
        heavy = sorted(
            (one for one in self.findings.weights if one.over), key=lambda one: -one.over
        )
        if not heavy:
            return
        shown = [f"  {one}" for one in heavy[:_MOST_SHOWN]]
        if len(heavy) > _MOST_SHOWN:
            shown.append(f"  … and {len(heavy) - _MOST_SHOWN} more")
        count = "1 page is" if len(heavy) == 1 else f"{len(heavy)} pages are"
        raise BudgetError(
            f"{count} over budget:\n" + "\n".join(shown),
            fix="Send less, or raise BUDGET of the page or ASOK_PAGE_BUDGET of the site.",
            report=self.findings,
        )


def is_html(record: Record) -> bool:
    """Whether a built page is a document that people read."""
    media = dict(record.headers).get("content-type", "text/html")
    return record.status in (200, 203) and media.startswith("text/html")


def _answering(site: Site, served: Collection[str]) -> str:
    """A digest of what answers to links, beside the built pages and the site's common code."""
    pages = site.parts.pages
    known = (
        sorted(served),
        site.assets.fingerprint if isinstance(site.assets, ManifestAssets) else None,
        asset_names(site),
        [
            (route.pattern, str(route.file), page.allow, page.static, page.options.fallback)
            for route in site.parts.router.routes
            for page in (pages[route.pattern],)
        ],
    )
    return hashlib.blake2b(repr(known).encode("utf-8", "replace"), digest_size=16).hexdigest()


def asset_names(site: Site) -> list[str]:
    """The names that `static()` takes."""
    if isinstance(site.assets, ManifestAssets):
        return sorted(site.assets.names)
    return sorted(scan(site_roots(site.root)))
