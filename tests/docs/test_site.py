"""The documentation site in a real browser: read, search, click, reload, submit, accessibility."""

from __future__ import annotations

import re
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.docs.blocks import CONTENT, documents

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/docs/start/concepts",
    "/docs/guides/components",
    "/docs/reference/settings",
    "/examples",
    "/examples/counter",
    "/examples/form",
    "/search?q=cache",
    "/no-such-page",
]
#: What test_examples.py asks axe about, while they are being used.
EXAMPLES = [f"/examples/{name}" for name in ("booking", "products", "chat", "dashboard")]


def test_every_document_is_a_page(docs_url: str) -> None:
    for document in documents():
        path = f"/docs/{document.relative_to(CONTENT).with_suffix('').as_posix()}"
        assert httpx.get(docs_url + path).status_code == 200, path


def test_documents_come_from_the_store_and_may_be_shared(docs_url: str) -> None:
    answers = [httpx.get(f"{docs_url}/docs/start/concepts") for _ in range(2)]
    assert [answer.headers["x-asok-ssg-cache"] for answer in answers] == ["HIT", "HIT"]
    assert not any("set-cookie" in answer.headers for answer in answers)
    first, second = answers
    assert first.content == second.content
    assert 'nonce="' not in first.text
    assert first.headers["cache-control"].startswith("public")
    headers = {"if-none-match": first.headers["etag"]}
    again = httpx.get(f"{docs_url}/docs/start/concepts", headers=headers)
    assert again.status_code == 304


def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(docs_url: str) -> None:
    for path in PAGES + EXAMPLES:
        text = httpx.get(docs_url + path).text
        loaded = re.findall(r'<(?:script|img|link)\b[^>]*?\b(?:src|href)="([^"]*)"', text)
        assert loaded, path
        assert all(url.startswith("/") for url in loaded), loaded
        assert not re.findall(r"<[^>]+\s(?:style|on\w+)=", text), path
        assert "<style" not in text, path


def test_links_inside_the_site_lead_somewhere(docs_url: str) -> None:
    seen: dict[str, str] = {}
    for document in documents():
        path = f"/docs/{document.relative_to(CONTENT).with_suffix('').as_posix()}"
        seen[path] = httpx.get(docs_url + path).text
    for path, text in list(seen.items()):
        for url in re.findall(r'<[^<>]*\shref="(/[^"]*|#[^"]*)"', text):
            target, _, anchor = url.partition("#")
            target = target or path
            if target not in seen:
                answer = httpx.get(docs_url + target, follow_redirects=True)
                assert answer.status_code == 200, f"{path} links to {url}"
                seen[target] = answer.text
            assert not anchor or f'id="{anchor}"' in seen[target], f"{path} links to {url}"


def test_reader_navigates_by_the_links(page: Page, docs_url: str) -> None:
    page.goto(docs_url)
    page.get_by_role("link", name="Ten-minute tutorial").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ten-minute tutorial")
    page.get_by_role("navigation", name="On this page").get_by_text("Add a page").click()
    expect(page).to_have_url(re.compile("#2-add-a-page$"))
    page.get_by_role("link", name=re.compile("^Next")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Why it is made this way")


def test_search_shows_results_while_typing(page: Page, docs_url: str) -> None:
    page.goto(docs_url)
    field = page.get_by_role("searchbox", name="Search the documentation")
    field.press_sequentially("revalid", delay=20)
    first = page.locator(".results a").first
    expect(first).to_be_visible()
    expect(page.locator(".results a", has_text="Static pages and ISR").first).to_be_visible()
    expect(field).to_have_value("revalid")
    expect(field).to_be_focused()
    page.locator(".results a", has_text="Static pages and ISR").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Static pages and ISR")


def test_search_results_fit_on_a_phone(page: Page, docs_url: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(docs_url)
    page.get_by_role("searchbox").press_sequentially("session", delay=20)
    expect(page.locator(".results a").first).to_be_visible()
    box = page.locator(".results").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_search_works_without_javascript(chromium: Browser, docs_url: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(docs_url)
        field = page.get_by_role("searchbox", name="Search the documentation")
        field.fill("migration")
        field.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Search")
        expect(page.locator(".found a", has_text="Models and migrations").first).to_be_visible()
    finally:
        context.close()


def test_counter_keeps_its_number_over_reload_and_navigation(page: Page, docs_url: str) -> None:
    page.goto(docs_url)
    count = page.locator(".counter h3")
    expect(count).to_have_text("Count: 10")
    for expected in ("Count: 11", "Count: 12"):
        page.get_by_role("button", name="Add 1").click()
        expect(count).to_have_text(expected)
    page.reload()
    expect(count).to_have_text("Count: 12")
    page.get_by_role("link", name="How it works").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Concepts")
    page.go_back()
    expect(count).to_have_text("Count: 12")


def test_two_counters_on_one_page_keep_apart(page: Page, docs_url: str) -> None:
    page.goto(f"{docs_url}/examples/counter")
    counts = page.locator(".counter h3")
    page.get_by_role("button", name="Add 1").nth(1).click()
    expect(counts).to_have_text(["Count: 0", "Count: 101"])


def test_form_is_checked_kept_and_answered(page: Page, docs_url: str) -> None:
    page.goto(f"{docs_url}/examples/form")
    assert page.locator("input[name=csrf_token]").count() == 1
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("A note").fill("<b>Hello</b>")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".notice")).to_have_text("Thank you, Ada. Your note was kept.")
    expect(page.locator(".notes li").first).to_contain_text("<b>Hello</b>")
    page.reload()
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.locator(".notes li")).to_have_count(1)


def test_form_says_what_is_missing(page: Page, docs_url: str, console_errors: list[str]) -> None:
    page.goto(f"{docs_url}/examples/form")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".problem")).to_have_text("Please fill this in.")
    expect(page.get_by_label("Your name")).to_have_value("Ada")
    console_errors.clear()  # Chromium reports every 4xx there


def test_menu_opens_on_a_phone_without_javascript(chromium: Browser, docs_url: str) -> None:
    context = chromium.new_context(
        viewport={"width": 360, "height": 740}, java_script_enabled=False
    )
    try:
        page = context.new_page()
        page.goto(docs_url)
        page.get_by_text("Menu", exact=True).click()
        page.get_by_role("navigation", name="Menu").get_by_text("Examples").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Alive where it counts")
    finally:
        context.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_page_is_accessible_and_fits(
    chromium: Browser,
    docs_url: str,
    axe: str,
    path: str,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        page.goto(docs_url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(axe)
        found: list[dict[str, Any]] = page.evaluate("axe.run().then(r => r.violations)")
        told = [
            f"{one['id']}: {one['help']}: {node['html'][:120]}"
            for one in found
            for node in one["nodes"]
        ]
        assert not told, "\n".join(told)
    finally:
        context.close()


def test_axe_finds_what_is_wrong(chromium: Browser, axe: str) -> None:
    page = chromium.new_page()
    try:
        page.set_content("<img src=x><input>")
        page.evaluate(axe)
        found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id))")
        assert {"image-alt", "label"} <= set(found)
    finally:
        page.close()
