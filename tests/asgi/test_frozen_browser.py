"""Chromium's verdict on frozen pages: their own scripts run, what is written into them does not."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.services import open_chromium
from tests.site import serve, write_site

pytestmark = pytest.mark.browser

INJECTED = (
    "<script>ran.push('injected')</script><script nonce=''>ran.push('empty nonce')</script>"
    "<script src='data:text/javascript,ran.push(1)'></script>"
    "<script src='https://evil.example/x.js'></script>"
    "<style>h1 { color: rgb(1, 2, 3) }</style><p style='color: red'>p</p>"
    "<img src=x onerror=\"ran.push('handler')\"><a href=\"javascript:ran.push('link')\">x</a>"
    "<base href='https://evil.example/'><iframe srcdoc='<script>parent.ran.push(9)</script>'>"
    "</iframe><object data='x'></object><svg onload=\"ran.push('svg')\"></svg>"
)
PAGE = """
SSG = True
CSP = {csp!r}

def get(request):
    return request.html("page.html", bad={bad!r})
"""
HTML = """
{% extends "html/base.html" %}{% block main %}
<style>h1 { opacity: 0.5 }</style>
<script>window.ran = []; window.violations = [];
addEventListener("securitypolicyviolation", event => violations.push(event.effectiveDirective))
</script>
<h1>{{ csp }}</h1>{{ bad|safe }}
<script>ran.push("first")</script><script type="module">ran.push("module")</script>
{{ component('Clicks') }}<a id="on" href="/end">on</a>
{% endblock %}
"""
SITE = {
    "src/components/Clicks.py": """
        from asok import Component, exposed

        class Clicks(Component):
            count: int = 0

            @exposed
            def click(self):
                self.count += 1
        """,
    "src/components/clicks.html": "<button ws-click='click'>Clicked {{ count }}</button>",
    "src/partials/html/base.html": """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>
        <link rel="icon" href="data:,"></head><body>{% block main %}{% endblock %}</body></html>
        """,
    "src/pages/end/page.html": "<!doctype html><title>end</title><link rel=icon href='data:,'>",
}
for csp in ("nonce", "hash"):
    for kind, bad in (("clean", ""), ("bad", INJECTED)):
        SITE[f"src/pages/{csp}/{kind}/page.py"] = PAGE.format(csp=csp, bad=bad)
        SITE[f"src/pages/{csp}/{kind}/page.html"] = HTML.replace("{{ csp }}", csp)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with serve(write_site(tmp_path_factory.mktemp("frozen"), SITE)) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium(history=True) as browser:
        yield browser


def look(page: Page) -> tuple[list[str], list[str], list[str]]:
    """What ran, what was refused, and how the heading looks."""
    page.wait_for_function("window.ran?.includes('module')")
    return (
        page.evaluate("ran"),
        page.evaluate("violations"),
        page.evaluate("(({color, opacity}) => [color, opacity])(getComputedStyle("
                      "document.querySelector('h1')))"),
    )  # fmt: skip


@pytest.mark.parametrize("csp", ["nonce", "hash"])
def test_the_pages_own_scripts_run_without_a_violation(page: Page, site: str, csp: str) -> None:
    """Also after a reload, and when it comes back from either of the browser's caches."""
    page.goto(f"{site}/{csp}/clean")
    for _ in range(3):
        assert look(page) == (["first", "module"], [], ["rgb(0, 0, 0)", "0.5"])
        page.reload()
    for _ in range(2):
        page.locator("#on").click()
        page.wait_for_url("**/end", wait_until="commit")
        page.go_back(wait_until="commit")
        assert look(page) == (["first", "module"], [], ["rgb(0, 0, 0)", "0.5"])
    page.go_forward(wait_until="commit")
    page.wait_for_url("**/end", wait_until="commit")


@pytest.mark.parametrize("csp", ["nonce", "hash"])
def test_markup_in_content_does_not_run(
    page: Page, site: str, console_errors: list[str], csp: str
) -> None:
    page.goto(f"{site}/{csp}/bad")
    for step in ("first", "reload", "back"):
        ran, violations, heading = look(page)
        assert ran == ["first", "module"], step
        assert heading == ["rgb(0, 0, 0)", "0.5"], step
        assert {"script-src-elem", "script-src-attr", "style-src-elem"} <= set(violations), step
        assert page.evaluate("document.baseURI") == page.url
        page.get_by_text("x", exact=True).click()
        assert page.evaluate("ran") == ["first", "module"], step
        if step == "first":
            page.reload()
        elif step == "reload":
            page.goto(f"{site}/end")
            page.go_back(wait_until="commit")
    console_errors.clear()
