"""What the created sites and the development server's own pages look like to everybody."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from .dev.conftest import DevelopmentServer

pytestmark = pytest.mark.browser

PATHS = {
    "minimal": ["/", "/none?asok-404", "/none", "/broken"],
    "blog": ["/", "/blog/files-are-addresses", "/contact", "/contact?sent"],
}


def violations(page: Any) -> list[str]:
    """What axe finds wrong, one line each."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(source)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(r => r.violations)")
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def look(browser: Browser, server: DevelopmentServer, paths: list[str]) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": 320, "height": 640},
        )
        try:
            page = context.new_page()
            for path in paths:
                page.goto(server.url + path)
                if path.endswith("?sent"):
                    page.get_by_role("button", name="Send").click()
                    page.get_by_text("Please fill this in.").first.wait_for()
                assert violations(page) == [], (path, scheme)
                wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                assert not wide, f"{path} is wider than a phone"
        finally:
            context.close()


def test_minimal_site_and_failures_are_accessible_and_fit_a_phone(
    site: Path, chromium: Browser
) -> None:
    (site / "src/pages/broken").mkdir()
    (site / "src/pages/broken/page.py").write_text(
        "def get(request):\n    names = ['a' * 300]\n    return names[3]\n"
    )
    server = DevelopmentServer(site)
    try:
        look(chromium, server, PATHS["minimal"])
    finally:
        server.stop()


def test_blog_is_accessible_and_fits_a_phone(blog: Path, chromium: Browser) -> None:
    server = DevelopmentServer(blog)
    try:
        look(chromium, server, PATHS["blog"])
    finally:
        server.stop()


def test_search_of_the_blog_finds_while_typing(blog: Path, chromium: Browser) -> None:
    server = DevelopmentServer(blog)
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(server.url)
        box = page.get_by_label("Search the posts")
        box.press_sequentially("form")
        page.get_by_text("1 post found").wait_for()
        assert page.get_by_role("link", name="Forms that just work").count() == 2
        assert box.input_value() == "form"
        box.press("Escape")
        page.get_by_text("1 post found").wait_for(state="detached")
    finally:
        context.close()
        server.stop()
