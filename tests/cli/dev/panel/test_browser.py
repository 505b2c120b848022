"""What a developer sees: the panel of a running `asok dev` in real Chromium, under its policy."""

from __future__ import annotations

import re
from collections.abc import Generator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from ....services import ConsoleErrors
from ..conftest import Start

pytestmark = pytest.mark.browser

#: A network that lets no WebSocket of live components through.
BLOCKED = """
  const Native = window.WebSocket;
  window.WebSocket = function (url) {
    if (!String(url).includes("/asok/live")) return new Native(url);
    const socket = new EventTarget();
    Object.assign(socket, { readyState: 0, send() {}, close() {} });
    setTimeout(() => {
      socket.readyState = 3;
      socket.onerror?.({ type: "error" });
      socket.onclose?.({ type: "close" });
    }, 20);
    return socket;
  };
"""


@pytest.fixture
def narrow(chromium: Browser) -> Generator[Page]:
    context = chromium.new_context(
        color_scheme="dark", reduced_motion="reduce", viewport={"width": 320, "height": 640}
    )
    yield context.new_page()
    context.close()


def opened(page: Page, tab: str) -> Locator:
    """The section `tab` of the open panel."""
    page.get_by_role("tab", name=tab).click()
    return page.get_by_role("tabpanel", name=tab)


def violations(page: Page) -> list[str]:
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found: list[dict[str, str]] = page.evaluate(
        "axe.run().then(r => r.violations.map(v => ({id: v.id, html: v.nodes[0].html})))"
    )
    return [f"{one['id']}: {one['html']}" for one in found]


def corner(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Development panel"))


def test_a_page_shows_its_queries_its_cache_and_its_live_messages(
    start: Start, shop: Path, page: Page, narrow: Page, console_errors: ConsoleErrors
) -> None:
    server = start(shop)
    answer = page.goto(server.url + "/posts")
    assert answer is not None
    assert "'nonce-" in answer.headers["content-security-policy"]
    assert page.evaluate("document.documentElement.dataset.ran") == "yes"
    expect(corner(page)).to_contain_text("7 queries")
    expect(corner(page)).to_contain_text("N+1")
    server.wait_for("N+1 queries: src/pages/posts/page.html:7")

    # By keyboard: opened, the next section, closed, and opened again.
    corner(page).press("Enter")
    expect(page.get_by_role("tab", name="Request")).to_be_focused()
    about = page.get_by_role("tabpanel", name="Request")
    for text in ("GET /posts", "200", "src/pages/posts/page.py", "dynamic"):
        expect(about).to_contain_text(text)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="SQL")).to_be_focused()
    page.keyboard.press("Escape")
    expect(corner(page)).to_be_focused()
    corner(page).press("Enter")

    sql = page.get_by_role("tabpanel", name="SQL")
    expect(sql).to_contain_text("The request: 7 queries")
    expect(sql.locator(".warnings")).to_contain_text("N+1 src/pages/posts/page.html:7 loaded")
    expect(sql.locator(".warnings")).to_contain_text('Post.query().with_("author")')
    loop = sql.get_by_role("listitem").filter(has_text="FROM authors")
    expect(loop).to_contain_text("page.html:7")
    expect(loop).to_contain_text("6 times")
    expect(loop).to_contain_text(re.compile(r"\d ms"))

    live = opened(page, "Live")
    page.get_by_role("button", name="Vote").click()
    expect(page.get_by_text("Votes: 12")).to_be_visible()
    call = live.get_by_role("listitem").filter(has_text="add(2)")
    expect(call).to_contain_text(re.compile(r"↑\s*Votes\s*add\(2\)\s*\d+ B\s*[\d.]+ ms"))
    expect(live).to_contain_text(re.compile(r"Round trip\s*[\d.]+ ms last"))
    reply = live.get_by_role("listitem").filter(has_text="whole HTML").first
    expect(reply).to_contain_text(re.compile(r"\d+ B\s*[\d.]+ ms"))
    call.get_by_text("add(2)").click()
    expect(call.locator("pre")).to_contain_text('["c",')
    live.get_by_label("Added latency").select_option("300 ms")
    page.get_by_role("button", name="Vote").click()
    expect(page.get_by_text("Votes: 24")).to_be_visible()
    expect(live).to_contain_text(re.compile(r"Round trip\s*(3\d\d|[4-9]\d\d|\d{4,}) ms last"))
    live.get_by_label("Added latency").select_option("none")
    expect(opened(page, "SQL")).to_contain_text("Live calls: 2 queries")
    assert violations(page) == []

    # The panel is as it was left, and the second visit is answered from the cache.
    page.reload()
    row = opened(page, "Cache").get_by_role("row")
    expect(row.filter(has_text="This request")).to_have_text(re.compile(r"request\s*11000"))
    expect(row.filter(has_text="title")).to_have_text(re.compile(r"title\s*10000"))
    expect(row.filter(has_text="Since the start")).to_contain_text(re.compile(r"start\s*1"))

    console_errors.expected.add("no more votes")
    page.get_by_role("button", name="Fail").click()
    live = opened(page, "Live")
    expect(live.get_by_role("listitem").first).to_contain_text("failed")
    server.wait_for("ValueError: no more votes")
    live.get_by_role("button", name="Clear").click()
    expect(live.get_by_role("listitem")).to_have_count(0)
    page.get_by_role("button", name="Close").click()
    expect(corner(page)).to_contain_text("live error")

    page.goto(server.url + "/frozen")
    expect(corner(page)).to_contain_text("1 query")
    corner(page).click()
    expect(opened(page, "Request")).to_contain_text("SSG: rendered once, by asok build")

    narrow.goto(server.url + "/posts")
    corner(narrow).click()
    for tab in ("Request", "SQL", "Cache", "Live"):
        opened(narrow, tab)
        assert violations(narrow) == [], tab
    assert not narrow.evaluate("document.documentElement.scrollWidth > innerWidth")
    narrow.get_by_role("button", name="Vote").click()
    expect(narrow.get_by_text(re.compile("Votes: [1-9]"))).to_be_visible()


def test_messages_by_post_are_shown_too(start: Start, shop: Path, page: Page) -> None:
    server = start(shop)
    page.add_init_script(BLOCKED)
    page.goto(server.url + "/posts")
    corner(page).click()
    live = opened(page, "Live")
    page.get_by_role("button", name="Vote").click()
    expect(page.get_by_text("Votes: 12")).to_be_visible()
    expect(live).to_contain_text(re.compile(r"Connection\s*HTTP POST"))
    call = live.get_by_role("listitem").filter(has_text="add(2)")
    expect(call).to_contain_text(re.compile(r"Votes\s*add\(2\)\s*\d+ B\s*[\d.]+ ms"))
    expect(opened(page, "SQL")).to_contain_text("Live calls: 1 query")

    def stay_open(route: Route) -> None:
        if route.request.post_data != '[["l",99]]':
            route.continue_()
            return
        events = 'data: ["t","x"]\n\ndata: ["d",1,"saved",{"id":7},0]\n\n'
        route.fulfill(content_type="text/event-stream", body=events)

    live = opened(page, "Live")
    page.route("**/asok/live?page=*", stay_open)
    page.evaluate("fetch('/asok/live', {method: 'POST', body: JSON.stringify([['l', 99]])})")
    for text in ("leave", "new CSRF value", 'event saved {"id":7}'):
        expect(live.get_by_role("listitem").filter(has_text=text).first).to_be_visible()
