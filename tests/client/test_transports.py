"""One form on three transports: a WebSocket, HTTP POST where none gets through, and no script."""

from __future__ import annotations

from collections.abc import Generator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.site import serve, write_site

pytestmark = pytest.mark.browser

SITE = {
    "src/components/Book.py": """\
        from asok import Component
        from asok.component import exposed

        class Book(Component):
            names: list[str] = []

            @exposed
            def sign(self, name: str):
                self.names = [*self.names, name]

            @exposed
            def clear(self):
                self.names = []

            def render(self):
                return self.html("book.html")
        """,
    "src/components/book.html": """\
        <p id="names" ws-announce>{{ names|join(", ") }}</p>
        <form ws-submit="sign"><label>Name <input name="name"></label><button>Sign</button></form>
        <form ws-submit="clear()"><button>Clear</button></form>
        """,
    "src/partials/html/base.html": """\
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Book</title>
        <link rel="icon" href="data:,"></head><body><main><h1>Book</h1>
        {% block main %}{% endblock %}</main></body></html>
        """,
    "src/pages/page.html": """\
        {% extends "html/base.html" %}{% block main %}{{ component('Book') }}{% endblock %}
        """,
}
#: A network that lets no WebSocket through.
BLOCKED = """
  window.WebSocket = class extends EventTarget {
    readyState = 0;
    constructor() {
      super();
      setTimeout(() => {
        this.readyState = 3;
        this.onerror?.({ type: "error" });
        this.onclose?.({ type: "close" });
      }, 20);
    }
    send() {}
    close() {}
  };
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder = tmp_path_factory.mktemp("transports")
    with serve(write_site(folder, SITE)) as url:
        yield url


def visitor(chromium: Browser, transport: str) -> BrowserContext:
    context = chromium.new_context(java_script_enabled=transport != "none")
    if transport == "post":
        context.add_init_script(BLOCKED)
    return context


@pytest.mark.parametrize("transport", ["socket", "post", "none"])
def test_a_form_does_the_same(chromium: Browser, site: str, transport: str) -> None:
    context = visitor(chromium, transport)
    page: Page = context.new_page()
    loads: list[str] = []
    posts: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if (
        request.is_navigation_request()) else posts.append(request.method))  # fmt: skip
    page.goto(site)
    for name, shown in [("Ada", "Ada"), ("Eve & <b>", "Ada, Eve & <b>")]:
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Sign").click()
        expect(page.locator("#names")).to_have_text(shown, timeout=15_000)
    if transport != "none":
        expect(page.get_by_label("Name")).to_have_value("")
        expect(page.get_by_role("status")).to_have_text("Ada, Eve & <b>")
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        assert page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#names")).to_have_text("", timeout=15_000)
    # Only a form without scripts loads pages: each time the door, and the page it leads to.
    assert len(loads) == (7 if transport == "none" else 1), loads
    assert ("POST" in posts) == (transport == "post")
    page.get_by_label("Name").fill("Last")
    page.get_by_role("button", name="Sign").click()
    expect(page.locator("#names")).to_have_text("Last", timeout=15_000)
    page.reload()
    expect(page.locator("#names")).to_have_text("Last")
    context.close()
