"""Chromium with its back-forward cache, which Playwright switches off otherwise."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright
from tests.services import program

__all__ = ["chromium_with_history"]


@contextmanager
def chromium_with_history() -> Generator[Browser]:
    """Run the browser. A page that comes back fires no `load`: wait for "commit"."""
    executable = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        try:
            yield browser
        finally:
            browser.close()
