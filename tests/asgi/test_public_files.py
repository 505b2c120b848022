from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.site import load_site, write_site

from asok.checks import SiteChecks

from .conftest import Open

FILES = {"src/pages/page.py": "SSG = True\n", "src/pages/page.html": "<h1>Home</h1>"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    root = write_site(tmp_path, FILES)
    app = load_site(root, base_url="https://e.org")
    app.freeze(checks=[SiteChecks(app)])
    return root


def client(root: Path) -> TestClient:
    return TestClient(load_site(root, base_url="https://e.org"), base_url="http://localhost")


def test_release_serves_what_the_build_made(built: Path) -> None:
    with client(built) as browser:
        robots = browser.get("/robots.txt")
        assert robots.text.endswith("Sitemap: https://e.org/sitemap.xml\n")
        assert robots.headers["content-type"].startswith("text/plain")
        assert robots.headers["cache-control"] == "public, max-age=0, must-revalidate"
        sitemap = browser.get("/sitemap.xml")
        assert sitemap.headers["content-type"].split(";")[0] in ("application/xml", "text/xml")
        assert b"<loc>https://e.org/</loc>" in sitemap.content
        unchanged = browser.get("/sitemap.xml", headers={"if-none-match": sitemap.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert browser.head("/robots.txt").headers["content-length"] == str(len(robots.content))
        assert browser.post("/robots.txt").status_code == 405
        with (
            pytest.raises(WebSocketDisconnect),
            browser.websocket_connect("ws://localhost/robots.txt"),
        ):
            pass


def test_removed_release_is_a_404(built: Path) -> None:
    with client(built) as browser:
        shutil.rmtree(built / ".asok/ssg_cache/releases")
        assert browser.get("/robots.txt").status_code == 404


def test_site_that_was_not_built_has_none(open_site: Open) -> None:
    assert open_site(FILES).get("/robots.txt").status_code == 404


def test_development_says_who_makes_them(open_site: Open) -> None:
    browser = open_site(FILES, debug=True)
    answer = browser.get("/sitemap.xml")
    assert answer.status_code == 404
    assert "asok build" in answer.text
    assert browser.head("/sitemap.xml").content == b""


def test_development_serves_the_sites_own(open_site: Open) -> None:
    own = {
        **FILES,
        "src/static/robots.txt": "User-agent: me\n",
        "src/pages/sitemap.xml/page.py": "def get(request):\n    return 'mine'\n",
    }
    browser = open_site(own, debug=True)
    assert browser.get("/robots.txt").text == "User-agent: me\n"
    assert browser.get("/sitemap.xml").text == "mine"
