"""An export as a whole: what is written, what is left out, and that it runs in a browser."""

from __future__ import annotations

import functools
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.site import load_site, write_site

from asok.assets import ManifestAssets, build_assets, site_roots
from asok.errors import AsokError, CommandError
from asok.export import ExportReport, export_site

from .site_files import FILES
from .site_files import page as template


def exported(
    root: Path, *, settings: dict[str, Any] | None = None, **options: Any
) -> tuple[Path, ExportReport]:
    published, folder = root / "published", root / "out"
    build_assets(site_roots(root), published)
    folder.mkdir()
    app = load_site(root, **(settings or {}))
    app.assets = app.addresses.assets = ManifestAssets(published)
    return folder, export_site(app, published, folder, **options)


def lacks(report: ExportReport, kind: str) -> set[tuple[str, str]]:
    return {(one.subject, one.what) for one in report.shortfalls if one.kind == kind}


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "static" not in path.parts
    }


def test_everything_is_written_and_the_rest_is_named(tmp_path: Path) -> None:
    folder, report = exported(write_site(tmp_path, FILES))
    assert files(folder) == {
        ".nojekyll",
        "404.html",
        "_headers",
        "_redirects",
        "about/index.html",
        "about/team/index.html",
        "ask/index.html",
        "feed.xml",
        "form/index.html",
        "index.html",
        "list/index.html",
        "live/index.html",
        "news/a/index.html",
        "old/index.html",
    }
    assert lacks(report, "left out") == {
        ("/contact", "dynamic page"),
        ("/hook", "dynamic page"),
        ("/secret", "guarded page"),
    }
    assert lacks(report, "reduced") == {
        ("/about", "relative link"),
        ("/contact", "link"),
        ("/form", "handlers"),
        ("/ask", "form"),
        ("/list", "query"),
        ("/live", "live components"),
        ("/news/[slug]", "regeneration"),
        ("/news/[slug]", "unlisted paths"),
        ("/shop/cart", "link"),
    }
    assert report.notes == ["no sitemap.xml and robots.txt: they need BASE_URL"]
    assert report.files == len([path for path in folder.rglob("*") if path.is_file()])
    found = report.as_json()
    assert {entry["path"] for entry in found["pages"]} >= {"/", "/feed.xml"}
    assert len(found["left_out"]) == 3


def test_pages_hold_their_policy_and_no_holes(tmp_path: Path) -> None:
    folder, _ = exported(write_site(tmp_path, FILES))
    html = (folder / "index.html").read_text()
    assert html.count("Content-Security-Policy") == 1
    assert html.index("charset") < html.index("Content-Security-Policy") < html.index("<link")
    assert "'sha256-" in html
    assert "nonce" not in html
    assert "frame-ancestors" not in html
    assert 'src="/asok/' not in (folder / "live/index.html").read_text()
    assert 'name="_csrf"' not in html
    assert "Nothing: 404" in (folder / "404.html").read_text()
    assert 'content="0; url=/about"' in (folder / "old/index.html").read_text()
    assert (folder / "_redirects").read_text() == "/old /about 301\n"


def test_assets_have_their_hashed_names_and_the_plain_ones_that_are_linked(tmp_path: Path) -> None:
    folder, _ = exported(write_site(tmp_path, FILES))
    names = {path.name for path in (folder / "static").rglob("*") if path.is_file()}
    assert "logo.svg" in names
    assert "base.css" not in names
    assert any(name.startswith("base-") and name.endswith(".css") for name in names)
    assert not [name for name in names if name.endswith((".br", ".gz", ".json"))]


def test_headers_are_those_of_the_server(tmp_path: Path) -> None:
    folder, _ = exported(write_site(tmp_path, FILES))
    rules = (folder / "_headers").read_text()
    everywhere, _, rest = rules.partition("\n/")
    assert everywhere.startswith("/*\n")
    assert "frame-ancestors 'self'" in everywhere
    assert "X-Content-Type-Options: nosniff" in everywhere
    assert "Content-Type: application/atom+xml" in rest
    assert "static/*\n  Cache-Control: public, max-age=31536000, immutable" in rest


def test_flat_layout_and_compressed_forms(tmp_path: Path) -> None:
    long = {"src/pages/about/page.html": template("<p>" + "word " * 1000)}
    folder, report = exported(write_site(tmp_path, {**FILES, **long}), flat=True, compressed=True)
    assert {"about.html", "about.html.br", "about.html.gz", "about/team.html"} <= files(folder)
    assert ("/about", "relative link") not in lacks(report, "reduced")


def test_scripts_of_components_stay_where_a_server_stands_beside(tmp_path: Path) -> None:
    folder, report = exported(write_site(tmp_path, FILES), live=True)
    assert list((folder / "asok").glob("alive-*.js"))
    assert 'src="/asok/alive-' in (folder / "live/index.html").read_text()
    assert ("/live", "live components") not in lacks(report, "reduced")


def test_base_url_gives_a_sitemap_and_prefixes(tmp_path: Path) -> None:
    settings = {"base_url": "https://e.org/site"}
    folder, report = exported(write_site(tmp_path, FILES), settings=settings)
    assert "the site lives under /site: serve this folder there" in report.notes
    assert "<loc>https://e.org/site/about</loc>" in (folder / "sitemap.xml").read_text()
    assert "/site/static/*" in (folder / "_headers").read_text()
    assert (folder / "_redirects").read_text() == "/site/old /site/about 301\n"


def test_addresses_that_end_with_a_slash_fit_folders(tmp_path: Path) -> None:
    root = write_site(tmp_path, FILES)
    settings = {"trailing_slash": "always", "base_url": "https://e.org"}
    folder, report = exported(root, settings=settings)
    assert (folder / "about/index.html").is_file()
    assert "<loc>https://e.org/about/</loc>" in (folder / "sitemap.xml").read_text()
    assert ("/about", "relative link") not in lacks(report, "reduced")
    folder.rename(root / "before")
    with pytest.raises(CommandError, match=r"about\.html does not answer"):
        exported(root, settings=settings, flat=True)


def test_page_whose_nonce_no_hash_can_replace_is_left_out(tmp_path: Path) -> None:
    odd = {"src/pages/odd/page.py": "SSG = True\n", "src/pages/odd/page.html": "<p>{{ nonce }}"}
    folder, report = exported(write_site(tmp_path, {**FILES, **odd}))
    assert ("/odd", "nonce") in lacks(report, "left out")
    assert not (folder / "odd").exists()


def test_page_that_fails_fails_the_export(tmp_path: Path) -> None:
    odd = {"src/pages/odd/page.py": "SSG = True\n", "src/pages/odd/page.html": "{{ nothing }}"}
    with pytest.raises(AsokError, match="nothing"):
        exported(write_site(tmp_path, {**FILES, **odd}))


def test_page_that_can_not_be_stored_fails_the_export(tmp_path: Path) -> None:
    odd = {"src/pages/odd/page.py": "SSG = True\ndef get(request):\n    return 'x', 500\n"}
    with pytest.raises(AsokError, match="can't be exported: status 500"):
        exported(write_site(tmp_path, {**FILES, **odd}))


def test_two_pages_in_one_file_are_refused(tmp_path: Path) -> None:
    twice = {"src/pages/About/page.py": "SSG = True\n", "src/pages/About/page.html": "x"}
    with pytest.raises(CommandError, match="would both be the file"):
        exported(write_site(tmp_path, {**FILES, **twice}))


def test_very_many_hashes_stay_out_of_the_header(tmp_path: Path) -> None:
    many = {}
    for number in range(40):
        many[f"src/pages/p{number}/page.py"] = "SSG = True\n"
        many[f"src/pages/p{number}/page.html"] = f"<script>let x = {number}</script>"
    folder, report = exported(write_site(tmp_path, {**FILES, **many}))
    rules = (folder / "_headers").read_text()
    assert "Content-Security-Policy: frame-ancestors 'self'\n" in rules
    assert any("too long" in note for note in report.notes)


class _Quiet(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        # Chromium asks for it whenever it likes, and would show that it isn't there.
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def hosted(folder: Path) -> Generator[str]:
    """Serve `folder` as `python -m http.server` does."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.browser
@pytest.mark.parametrize("flat", [False, True])
def test_export_runs_in_a_browser_under_its_policy(
    tmp_path: Path, page: Page, console_errors: list[str], flat: bool
) -> None:
    folder, _ = exported(write_site(tmp_path, FILES), flat=flat)
    with hosted(folder) as url:
        page.goto(f"{url}/")
        shown = page.evaluate(
            "() => ({...document.documentElement.dataset, "
            "back: getComputedStyle(document.body).backgroundColor, "
            "head: getComputedStyle(document.querySelector('h1')).color})"
        )
        assert shown == {
            "inline": "ran",
            "file": "ran",
            "body": "ran",
            "back": "rgb(9, 8, 7)",
            "head": "rgb(1, 2, 3)",
        }
        # The one complaint is about the markup that a value brought.
        assert len([text for text in console_errors if "Content Security Policy" in text]) == 1
        console_errors.clear()
        if not flat:
            page.goto(f"{url}/old/")
            page.wait_for_url("**/about/")
        console_errors.clear()
