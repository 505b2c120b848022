"""Frames of HTML and splices turn into the component's DOM."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .server import Component, LiveServer, until, wrapper

CASES = [
    ["plain", "plain text", "plain more text"],
    ["a😀b", "a😀😀b", "😀b", "a👩‍👩‍👧‍👦b", "👩‍👧b"],
    ["e\u0301", "e\u0301\u0323", "\u00e9", "n\u0303 o\u0308", "o"],
    ["𝒳𝒴", "𝒴𝒳", "𝒳", ""],
    ["", "<b>x</b>", "<b>x</b><i>😀</i>", "<i>😀</i>"],
    ["مرحبا", "مرحبا بك", "שלום"],
]


@pytest.mark.browser
@pytest.mark.parametrize("texts", CASES, ids=str)
def test_splices_count_utf16_units(page: Page, server: LiveServer, texts: list[str]) -> None:
    component = Component(lambda state: f"<p>{state['text']}</p>", {"text": texts[0]}, {})
    server.serve(component)
    page.goto(server.page(wrapper(component.render(component.state))))
    until(page, "document.querySelector('[aria-busy]')")
    for text in texts[1:] + texts[::-1]:
        component.state["text"] = text
        server.send(component.push())
        until(page, "html => document.querySelector('p').innerHTML == html", text)
    expect(page.locator("[data-asok-state]")).to_have_count(1)
