"""The examples of the documentation in a real browser: what their guides say happens."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(r => r.violations)")
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def test_booking_says_what_is_wrong_and_keeps_what_was_typed(
    page: Page, docs_url: str, axe: str
) -> None:
    page.goto(f"{docs_url}/examples/booking")
    email = page.get_by_label("E-mail")
    email.fill("ada")
    page.get_by_label("Your name").focus()
    expect(page.locator("#email-problem")).to_have_text("Write an address like ada@example.org.")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Seats").fill("many")
    page.get_by_label("Seats").press("Enter")
    expect(page.locator("#seats-problem")).to_have_text("Must be a whole number.")
    expect(page.locator("#day-problem")).to_have_text("Must be filled in.")
    expect(page.get_by_label("Seats")).to_have_value("many")
    expect(page.get_by_label("Your name")).to_have_value("Ada")
    assert not violations(page, axe)
    email.fill("ada@example.org")
    page.get_by_label("Seats").fill("2")
    page.get_by_label("Day").fill(str(date.today() + timedelta(days=7)))
    page.get_by_role("button", name="Book a table").click()
    expect(page.locator(".notice")).to_contain_text("Your table is booked: Ada, 2 on")
    page.get_by_role("button", name="Book another one").click()
    expect(page.get_by_label("Your name")).to_have_value("")


def test_products_are_filtered_sorted_and_edited(page: Page, docs_url: str, axe: str) -> None:
    page.goto(f"{docs_url}/examples/products")
    rows = page.locator(".grid tbody tr")
    expect(rows).to_have_count(200)
    page.get_by_role("button", name="Price").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Price")
    page.get_by_label("Filter").press_sequentially("cork lamp", delay=10)
    expect(page.locator("p[ws-announce]")).to_have_text("1 of 200 products")
    page.get_by_role("button", name="Edit Cork lamp").click()
    page.get_by_label("Price", exact=True).fill("-1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#price-problem")).to_have_text("Price: Must be at least 0.0.")
    expect(page.get_by_label("Price", exact=True)).to_have_value("-1")
    assert not violations(page, axe)
    page.get_by_label("Price", exact=True).fill("12.5")
    page.get_by_role("button", name="Save").click()
    expect(rows).to_contain_text(["€ 12.50"])
    page.reload()
    expect(rows).to_contain_text(["€ 12.50"])


def test_chat_is_heard_by_others_and_bounded(
    page: Page, chromium: Browser, docs_url: str, axe: str
) -> None:
    other = chromium.new_context(color_scheme="dark", viewport={"width": 360, "height": 740})
    try:
        listener = other.new_page()
        for one in (page, listener):
            one.goto(f"{docs_url}/examples/chat")
            expect(one.get_by_role("button", name="Send")).to_be_visible()
        page.get_by_label("Message", exact=True).fill("<b>Hello</b>")
        page.get_by_role("button", name="Send").click()
        expect(listener.locator(".log li p").first).to_have_text("<b>Hello</b>")
        expect(page.get_by_label("Message", exact=True)).to_have_value("")
        page.get_by_label("Message", exact=True).fill("too fast")
        page.get_by_label("Message", exact=True).press("Enter")
        expect(page.get_by_role("alert")).to_have_text("One message a second, please.")
        expect(page.get_by_label("Message", exact=True)).to_have_value("too fast")
        for one in (page, listener):
            assert not violations(one, axe)
        assert listener.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        other.close()


def test_dashboard_polls_and_hears_waves(
    page: Page, chromium: Browser, docs_url: str, axe: str
) -> None:
    page.goto(f"{docs_url}/examples/dashboard")
    other = chromium.new_page(color_scheme="dark", viewport={"width": 360, "height": 740})
    try:
        other.goto(f"{docs_url}/examples/dashboard")
        points = page.locator("polyline")
        expect(points).to_have_attribute("points", re.compile(r" .* "), timeout=15_000)
        other.get_by_role("button", name="Wave to everybody here").click()
        expect(page.locator("dd[ws-announce]")).to_have_text("1")
        assert not violations(other, axe)
    finally:
        other.close()


@pytest.mark.parametrize("name", ["counter", "booking", "products", "chat", "dashboard"])
def test_examples_are_static_pages_with_a_strict_policy_that_show_their_source(
    docs_url: str, name: str
) -> None:
    answer = httpx.get(f"{docs_url}/examples/{name}")
    assert answer.headers["x-asok-ssg-cache"] == "HIT"
    assert "set-cookie" not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy.split("style-src")[0]
    assert f"src/components/{name.capitalize()}.py" in answer.text
    assert f"src/components/{name}.html" in answer.text
