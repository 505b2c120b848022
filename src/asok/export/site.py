"""`export_site`: pages, assets and what hosts read, into an empty folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urljoin, urlsplit

from asok.asgi.front import Files
from asok.asgi.parts import Parts
from asok.assets import Assets, Manifest
from asok.checks.discovery import public_files
from asok.errors import CommandError
from asok.export import policy
from asok.export.files import file_of, media_of
from asok.export.hosting import LONGEST_LINE, headers_file, redirect_page, redirects_file
from asok.export.pages import error_page, static_pages
from asok.export.report import Exported, ExportReport
from asok.export.shortfalls import explain_links, explain_page
from asok.export.writer import Writer
from asok.pages import StoredPage, encode, encode_path
from asok.pages.facts import FactsBook
from asok.pages.outline import candidates
from asok.sessions import SECURITY_HEADERS
from asok.settings import Settings

__all__ = ["Site", "export_site"]

_REDIRECTS: Final = (301, 308)
_IMMUTABLE: Final = ("Cache-Control", "public, max-age=31536000, immutable")
_SHARED: Final = ("Access-Control-Allow-Origin", "*")
#: Written into the page, made by the host, or meant for a shared cache before a server.
_NO_RULE: Final = frozenset(
    {"cache-control", "content-security-policy", "content-type", "etag", "location", "vary"}
)


class Site(Protocol):
    """What an export knows of an application."""

    root: Path
    settings: Settings
    parts: Parts
    assets: Assets

    @property
    def runtime(self) -> Files:
        """The runtime of live components."""
        ...


def export_site(
    site: Site,
    published: Path,
    folder: Path,
    *,
    flat: bool = False,
    live: bool = False,
    compressed: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ExportReport:
    """Write the whole site into the empty `folder`; `published` holds its built assets.

    `flat` writes `about.html` instead of `about/index.html`. `live` leaves the scripts of live
    components in: a server answers /asok/ beside these files. `compressed` adds `.br` and `.gz`
    forms for hosts that send them. Raises `FreezeError` for a page that fails and
    `CommandError` where two pages would be the same file, or `flat` doesn't fit the addresses.
    """
    if flat and site.parts.router.trailing_slash:
        raise CommandError(
            "with TRAILING_SLASH=always /about/ is the address of a page, which the file "
            "about.html does not answer.",
            fix="Leave out --flat.",
        )
    mount = site.settings.base_path
    export = _Export(site, Writer(folder, compressed=compressed), flat=flat, live=live)
    if mount:
        export.report.notes.append(f"the site lives under {mount}: serve this folder there")
    for page in static_pages(site.parts, export.report, progress=progress).values():
        export.add(page)
    export.add_error_page()
    export.add_public()
    export.add_assets(published)
    export.add_linked()
    export.add_hosting()
    return export.finish()


class _Export:
    """One export on its way."""

    def __init__(self, site: Site, out: Writer, *, flat: bool, live: bool) -> None:
        self.report = ExportReport()
        self._site = site
        self._out = out
        self._flat = flat
        self._live = live
        self._mount = site.settings.base_path
        begin = re.escape(f"{self._mount}{site.runtime.prefix}/")
        self._scripts = re.compile(rf'<script\b[^>]*\bsrc="{begin}[^">]*"[^>]*></script>\n?')
        self._pages: dict[str, StoredPage] = {}
        self._documents: dict[str, bytes] = {}
        self._answered: set[str] = set()
        self._policies: set[str] = set()
        self._redirects: dict[str, tuple[str, int]] = {}
        self._rules: dict[str, list[tuple[str, str]]] = {}

    def add(self, page: StoredPage) -> None:
        """Write a page, or the page that stands for a redirect."""
        path, media = page.path, page.content_type
        headers = dict(page.headers)
        file = file_of(path, media, flat=self._flat)
        if page.status in _REDIRECTS:
            url = self._mount + encode_path(path)
            target = urljoin(url, headers.get("location", "/"))
            self._redirects[url] = target, page.status
            self._write(file_of(path, "text/html", flat=self._flat), redirect_page(target), path)
            return
        body = page.holed.fill()
        if media.startswith("text/html"):
            body = self._document(page, body)
            explain_page(path, body, self.report, flat=self._flat)
        own = [(name, value) for name, value in page.headers if name not in _NO_RULE]
        if media.partition(";")[0] != media_of(file):
            own.append(("content-type", media))
        if own:
            self._rules[self._mount + encode_path(path)] = own
        self._write(file, body, path)
        self._pages[path] = page
        self.report.pages.append(Exported(path, file, len(body)))

    def _document(self, page: StoredPage, body: bytes) -> bytes:
        """Return a page with its policy in it."""
        own = dict(page.headers).get("content-security-policy")
        text = own or self._site.parts.policy.header()
        self._policies.add(text)
        html, scripts = body.decode(), 0
        if not self._live:  # they would ask the host for a socket, again and again
            html, scripts = self._scripts.subn("", html)
        if scripts:
            why = "without a server they stay as they were rendered (--live keeps their scripts)"
            self.report.lack("reduced", page.path, "live components", why)
        body = policy.with_policy(html, text).encode()
        self._documents[page.path] = body
        return body

    def _write(self, file: str, data: bytes, owner: str) -> None:
        self._out.write(file, data, owner, media=media_of(file))

    def add_error_page(self) -> None:
        """`404.html`, which every host knows."""
        page = error_page(self._site.parts, 404)
        if page is not None:
            self._write("404.html", self._document(page, page.holed.fill()), "the 404 page")

    def add_public(self) -> None:
        """sitemap.xml and robots.txt."""
        records = {path: encode(page)[0] for path, page in self._pages.items()}
        book = FactsBook(None, now=0.0)
        for path, body in self._documents.items():
            if path in records:
                book.add(records[path], lambda body=body: body)
        files, notes = public_files(self._site, records, book)
        self.report.notes.extend(notes)
        for name, data in files.items():
            self._write(name, data, f"the {name} of crawlers")

    def add_assets(self, published: Path) -> None:
        """Every asset under its hashed name."""
        prefix = self._site.assets.prefix.strip("/")
        for entry in Manifest.load(published).files.values():
            data = (published / entry.path).read_bytes()
            file = f"{prefix}/{entry.path}"
            self._out.write(file, data, f"/{file}", media=entry.media)
        # Where pages link them elsewhere, a CDN fetches them from here, for another origin.
        shared = [_SHARED] if self._site.assets.origin else []
        self._rules[f"{self._mount}/{prefix}/*"] = [_IMMUTABLE, *shared]

    def add_linked(self) -> None:
        """What pages link to by a name that isn't hashed, and the runtime under /asok/."""
        for value in sorted({link for body in self._documents.values() for link in _paths(body)}):
            path = unquote(value)
            if self._mount and not path.startswith(f"{self._mount}/"):
                continue
            path = path.removeprefix(self._mount)
            for files in (self._site.assets, self._site.runtime):
                if path.lower().lstrip("/") in self._out.owners:
                    break
                plan = files.plan("GET", path, "", ())
                if plan is not None and plan.status == 200:
                    data = plan.read()
                    media = dict(plan.headers)[b"content-type"].decode("latin-1")
                    self._out.write(path.lstrip("/"), data, path, media=media)
                    if files is self._site.runtime:
                        self._rules[self._mount + path] = [_IMMUTABLE]

    def add_hosting(self) -> None:
        """`_headers`, `_redirects`, and what keeps GitHub Pages from passing over them."""
        everywhere = [(_title(name.decode()), value.decode()) for name, value in SECURITY_HEADERS]
        if self._policies:
            joined = policy.joined(sorted(self._policies))
            if len(joined) + 64 > LONGEST_LINE:
                joined = policy.for_header(joined)
                self.report.notes.append(
                    "the pages' policies are too long for one header: each page holds its own"
                )
            everywhere.append(("Content-Security-Policy", joined))
        rules = {
            f"{self._mount}/*": everywhere,
            **{
                path: [(_title(name), value) for name, value in headers]
                for path, headers in sorted(self._rules.items())
            },
        }
        self._write("_headers", headers_file(rules), "the _headers of hosts")
        if self._redirects:
            data = redirects_file(self._redirects)
            self._write("_redirects", data, "the _redirects of hosts")
        self._write(".nojekyll", b"", "the .nojekyll of GitHub")

    def finish(self) -> ExportReport:
        """Say which links lead out of the export, and count."""
        base = urlsplit(self._site.settings.base_url)
        self._answered = {path.rstrip("/") for path in (*self._pages, *self._documents)}
        explain_links(
            self._documents,
            self._answers,
            self.report,
            mount=self._mount,
            origin=f"{base.scheme}://{base.netloc}" if base.netloc else "",
        )
        self.report.files, self.report.size = self._out.count, self._out.size
        return self.report

    def _answers(self, path: str) -> bool:
        url = self._mount + encode_path(path)
        return (
            path.rstrip("/") in self._answered
            or url in self._redirects
            or path.lower().lstrip("/") in self._out.owners
        )


def _paths(body: bytes) -> Iterator[str]:
    """The paths of a page's links that begin with a slash."""
    for value in candidates(body):
        if value.startswith("/") and not value.startswith("//"):
            yield urlsplit(value).path


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
