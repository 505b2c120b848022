"""Chromium's verdict on pages whose own inline tags are allowed by hash."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import Page

from asok import holes
from asok.jinja import Hashing, Templates
from asok.sessions import Policy

from .conftest import CONTEXT, SHARED
from .test_browser import INJECTED, NAMES, PAGES, only_what_the_template_wrote_runs, served

pytestmark = pytest.mark.browser


def answer(name: str) -> tuple[str, str]:
    """Return a page of `PAGES` and its policy; its first script only makes `ran`."""
    hashing = Hashing(Policy({"script-src": "'none'", "style-src": "'none'"}))
    source = f'<script>window.ran = []</script><p id="mark">m</p>{PAGES[name][0]}'
    values = {**CONTEXT, "bad": INJECTED, "dangling": "<script src='/evil.js' x=\""}
    with holes.use(hashing.sentinels):
        text = Templates(roots=[SHARED]).render_string(source, values)
    holed, header = hashing.finish(text.encode())
    assert header is not None
    return holed.body.decode(), header


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with served(answer) as url:
        yield url


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_template_wrote_runs(
    page: Page, console_errors: list[str], site: str, name: str
) -> None:
    only_what_the_template_wrote_runs(page, console_errors, site, name)
