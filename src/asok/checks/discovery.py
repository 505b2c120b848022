"""The files that crawlers ask a site for: sitemap.xml and robots.txt, made or the site's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from asok.pages.facts import FactsBook
from asok.pages.route import encode_path
from asok.pages.sitemap import Entry, robots, sitemap
from asok.pages.stored import Record

if TYPE_CHECKING:
    from asok.checks.site import Site

__all__ = ["NAMES", "PUBLIC", "own_file", "public_files"]

#: The folder of a release whose files are served at the root of the site.
PUBLIC: Final = "public"
NAMES: Final = ("robots.txt", "sitemap.xml")


def public_files(
    site: Site, records: Mapping[str, Record], book: FactsBook
) -> tuple[dict[str, bytes], list[str]]:
    """Return the files by name, and notes about what was left out and why.

    A page of that address, or a file of that name below src/static, is the site's own.
    """
    files: dict[str, bytes] = {}
    notes: list[str] = []
    for name in NAMES:
        own = own_file(site, name)
        if own is not None:
            files[name] = own
    base_url = site.settings.base_url
    if not base_url:
        if len(files) < len(NAMES):
            notes.append("no sitemap.xml and robots.txt: they need BASE_URL")
        return files, notes
    if "sitemap.xml" not in files and not _routed(site, "sitemap.xml"):
        files.update(sitemap(_entries(site, records, book), base_url))
    if "robots.txt" not in files and not _routed(site, "robots.txt"):
        if site.settings.base_path:
            notes.append("no robots.txt: crawlers read it at the root of a host only")
        else:
            files["robots.txt"] = robots(base_url)
    return files, notes


def own_file(site: Site, name: str) -> bytes | None:
    """Return the site's own `name` from its assets, None where it has none."""
    plan = site.assets.plan("GET", f"{site.assets.prefix}/{name}", "", ())
    if plan is None or plan.status != 200:
        return None
    return plan.read()


def _routed(site: Site, name: str) -> bool:
    match = site.parts.router.match(f"/{name}")
    return match is not None and not match.route.dynamic


def _entries(site: Site, records: Mapping[str, Record], book: FactsBook) -> Iterator[Entry]:
    for path, facts in book.pages.items():
        record = records[path]
        page = site.parts.pages[record.pattern]
        hidden = facts.noindex or any(
            name == "x-robots-tag" and ("noindex" in value.lower() or "none" in value.lower())
            for name, value in record.headers
        )
        # A query is another view of the same page.
        if "\0" in path or hidden or page.guards or page.options.sitemap is False:
            continue
        yield Entry(encode_path(path), facts.changed)
    for route in site.parts.router.routes:
        page = site.parts.pages[route.pattern]
        if page.options.sitemap and not page.static and not route.dynamic and not page.guards:
            yield Entry(encode_path(site.parts.router.path(route, {})))
