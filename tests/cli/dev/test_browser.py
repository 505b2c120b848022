"""What a developer sees: real Chromium beside a running `asok dev`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from ...services import ConsoleErrors, wait_until
from .conftest import Start

pytestmark = pytest.mark.browser

COLOUR = "getComputedStyle(document.querySelector('h1')).color"
RED = "rgb(255, 0, 0)"


def marked(page: Page) -> bool:
    """Whether the page is still the one that `mark` was called on."""
    return bool(page.evaluate("window.asokMark === true"))


def mark(page: Page) -> None:
    page.evaluate("window.asokMark = true")


def until(page: Page, expression: str) -> None:
    """Wait until `expression` is true on the page, also while it is being loaded again.

    Not `wait_for_function`, which evaluates in the page and is refused by its policy.
    """

    def found() -> bool:
        try:
            return page.evaluate(expression) is True
        except Error:
            return False

    wait_until(found, what=expression, limit=20)


def connected(page: Page, server_url: str) -> None:
    """Open the site and wait until its page listens for changes."""
    with page.expect_websocket(lambda socket: socket.url.endswith("/asok/dev")) as socket:
        page.goto(server_url)
    if not socket.value.is_closed():
        socket.value.wait_for_event("framereceived", lambda frame: "version" in str(frame))


def test_stylesheet_is_swapped_without_a_reload(start: Start, site: Path, page: Page) -> None:
    server = start(site)
    server.edit("src/pages/page.html", "<h1>", '<input id="typed"><h1>')
    server.write("src/partials/html/long.html", "<p>line</p>" * 100)
    server.edit("src/pages/page.html", '<section class="next">', '{% include "html/long.html" %}')
    connected(page, server.url)
    page.fill("#typed", "half a sentence")
    page.evaluate("scrollTo(0, 400)")
    mark(page)
    server.edit("src/partials/css/base.css", "h1 {", "h1 {\n  color: #f00;")
    until(page, f"{COLOUR} === '{RED}'")
    assert marked(page)
    assert page.input_value("#typed") == "half a sentence"
    assert page.evaluate("scrollY") == 400
    until(page, "document.querySelectorAll('link[rel=stylesheet]').length === 2")


def test_changed_template_is_reloaded(start: Start, site: Path, page: Page) -> None:
    server = start(site)
    connected(page, server.url)
    mark(page)
    server.edit("src/pages/page.html", "It works, and it is yours.", "Another heading")
    expect(page.get_by_role("heading", level=1)).to_have_text("Another heading")
    assert not marked(page)


def test_changed_python_reloads_once_and_keeps_the_counter(
    start: Start, site: Path, page: Page
) -> None:
    server = start(site)
    connected(page, server.url)
    button = page.get_by_role("button", name="Add 1")
    button.click()
    expect(page.get_by_role("heading", level=3)).to_have_text("Count: 11")
    page.evaluate("sessionStorage.setItem('loads', 0)")
    page.add_init_script("sessionStorage.setItem('loads', +sessionStorage.getItem('loads') + 1)")
    server.edit("src/components/Counter.py", "+= 1", "+= 10")
    until(page, "sessionStorage.getItem('loads') === '1'")
    expect(page.get_by_role("heading", level=3)).to_have_text("Count: 11")
    button.click()
    expect(page.get_by_role("heading", level=3)).to_have_text("Count: 21")
    assert page.evaluate("sessionStorage.getItem('loads')") == "1"


def test_broken_page_shows_where_and_goes_away_when_fixed(
    start: Start, site: Path, page: Page, console_errors: list[str]
) -> None:
    server = start(site)
    connected(page, server.url)
    server.edit("src/pages/page.html", "<h1>", "<h1>{{ visitor.name }} ")
    place = page.locator(".where").first
    expect(place).to_contain_text("src/pages/page.html:8")
    expect(page.locator(".hit").first).to_contain_text("visitor.name")
    assert page.evaluate("getComputedStyle(document.body).borderTopWidth") == "4px"
    server.edit("src/pages/page.html", "{{ visitor.name }} ", "")
    expect(page.get_by_role("heading", level=1)).to_have_text("It works, and it is yours.")
    assert all("500" in error for error in console_errors), console_errors
    console_errors.clear()


def test_syntax_error_shows_the_line_and_goes_away_when_fixed(
    start: Start, site: Path, page: Page, console_errors: list[str]
) -> None:
    server = start(site)
    connected(page, server.url)
    server.edit("src/components/Counter.py", "count = 0", "count = = 0")
    expect(page.locator(".where").first).to_contain_text("src/components/Counter.py:7")
    server.edit("src/components/Counter.py", "count = = 0", "count = 0")
    expect(page.get_by_role("heading", level=3)).to_have_text("Count: 10")
    console_errors.clear()


def test_missing_page_becomes_the_page_when_it_is_written(
    start: Start, site: Path, page: Page, console_errors: ConsoleErrors
) -> None:
    console_errors.expected.add("status of 404")
    server = start(site)
    page.goto(server.url + "/about")
    expect(page.get_by_role("heading", level=1)).to_have_text("No page answers /about")
    server.write("src/pages/about/page.html", "<h1>Here it is</h1>")
    expect(page.get_by_role("heading", level=1)).to_have_text("Here it is")


def test_failing_live_call_is_told_with_a_link_to_its_place(
    start: Start, site: Path, page: Page, console_errors: list[str]
) -> None:
    server = start(site)
    server.edit("src/components/Counter.py", "self.count += 1", "self.count = 1 / 0")
    server.wait_for("ready", times=2)
    connected(page, server.url)
    page.get_by_role("button", name="Add 1").click()
    link = page.get_by_role("link", name="Show where")
    expect(link).to_be_visible()
    with page.expect_popup() as popup:
        link.click()
    expect(popup.value.locator(".where").first).to_contain_text("src/components/Counter.py:11")
    console_errors.clear()


def test_page_that_was_rendered_before_a_change_loads_itself_again(
    start: Start, site: Path, page: Page
) -> None:
    server = start(site)
    page.add_init_script("sessionStorage.setItem('loads', +sessionStorage.getItem('loads') + 1)")
    page.route(
        "**/asok/dev.js?v=1.0",
        lambda route: route.fulfill(
            status=200, content_type="text/javascript", body=json.dumps("not yet")
        ),
    )
    page.goto(server.url)
    page.unroute("**/asok/dev.js?v=1.0")
    page.add_script_tag(url="/asok/dev.js?v=0.9")
    until(page, "sessionStorage.getItem('loads') === '2'")


def test_call_that_its_method_refuses_is_told_like_one_that_fails(
    start: Start, site: Path, page: Page, console_errors: list[str]
) -> None:
    server = start(site)
    server.edit(
        "src/components/Counter.py", "def increment(self)", "def increment(self, email: str)"
    )
    server.edit(
        "src/components/counter.html",
        '<button ws-click="increment">Add 1</button>',
        '<form ws-submit="increment"><input name="mail"><button>Add 1</button></form>',
    )
    server.wait_for("ready", times=2)
    connected(page, server.url)
    page.get_by_role("button", name="Add 1").click()
    told = page.locator("asok-failure")
    expect(told).to_contain_text("Counter.increment got no value for 'email', only for 'mail'.")
    server.wait_for("fix: It takes increment(email: str).")
    console_errors.clear()


FIELDS = """<textarea name="text"></textarea><input type="password" name="secret">
<input type="checkbox" name="box" value="a"><input type="checkbox" name="box" value="b">
<select name="one"><option>x<option>y</select>
<select name="many" multiple><option>x<option>y</select><p style="block-size: 300vh">Long</p>
<section>"""


def test_what_is_typed_stays_while_templates_and_python_change_and_break(
    start: Start, site: Path, page: Page, console_errors: list[str]
) -> None:
    shown, counter = site / "src/pages/page.html", site / "src/components/counter.html"
    shown.write_text(shown.read_text().replace('<section class="next">', FIELDS))
    form = '<form ws-submit="increment"><input name="mail"></form><h3>'
    counter.write_text(counter.read_text().replace("<h3>", form))
    server = start(site)
    connected(page, server.url)
    for name in ("text", "secret", "mail"):
        page.fill(f"[name={name}]", f"half a {name}")
    page.check("[value=b]")
    page.select_option("[name=one]", "y")
    page.select_option("[name=many]", ["x", "y"])
    page.focus("[name=mail]")
    page.evaluate("scrollTo({top: 300, behavior: 'instant'})")
    page.evaluate("document.querySelector('[name=mail]').setSelectionRange(2, 4)")

    def kept() -> None:
        expect(page.locator("[name=text]")).to_have_value("half a text")
        expect(page.locator("[name=mail]")).to_have_value("half a mail")
        expect(page.locator("[name=one]")).to_have_value("y")
        expect(page.locator("[name=many]")).to_have_values(["x", "y"])
        assert [box.is_checked() for box in page.locator("[name=box]").all()] == [False, True]
        expect(page.locator("[name=mail]")).to_be_focused()
        assert page.evaluate("document.activeElement.selectionStart") == 2
        assert page.evaluate("scrollY") == 300

    server.edit("src/components/counter.html", "Count:", "Counted:")
    expect(page.get_by_role("heading", level=3)).to_have_text("Counted: 10")
    kept()
    expect(page.locator("[name=secret]")).to_have_value("")  # no secret is written anywhere
    server.edit("src/components/Counter.py", "count = 0", "count = = 0")
    expect(page.locator(".where").first).to_contain_text("src/components/Counter.py:7")
    server.edit("src/components/Counter.py", "count = = 0", "count = 0")
    expect(page.get_by_role("heading", level=3)).to_have_text("Counted: 10")
    kept()
    page.get_by_role("button", name="Add 1").click()
    expect(page.get_by_role("heading", level=3)).to_have_text("Counted: 11")
    expect(page.locator("[name=mail]")).to_have_value("half a mail")
    console_errors.clear()
