"""Every documented trigger, from a real browser to a real server and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.site import serve, write_site

SITE = {
    "src/components/Guestbook.py": """
        from asok import Component
        from asok.component import exposed

        class Guestbook(Component):
            query = ""
            name = "nobody"
            entries: list[str] = []
            _bindable = ("name",)

            @exposed
            def search(self, value: str):
                self.query = value

            @exposed
            def sign(self, text: str, stars: int = 0):
                self.entries.append(f"{text} {'*' * stars}")

            @exposed
            async def remove(self, index: int):
                del self.entries[index]

            @exposed
            def fail(self):
                raise ValueError("on purpose")

            def secret(self):
                self.entries.append("never")
        """,
    "src/components/guestbook.html": """
        <div>
        <label>Search <input name="q" ws-input="search"></label><p>Query: {{ query }}</p>
        <label>Name <input ws-model="name" value="{{ name }}"></label><p>Name: {{ name }}</p>
        <form method="post" ws-submit="sign">
        <label>Text <input name="text"></label>
        <label>Stars <input name="stars" type="number" value="2"></label><button>Sign</button>
        </form>
        <ul>{% for entry in entries %}<li key="{{ entry }}">{{ entry }}
        <button ws-click="remove({{ loop.index0 }})">Remove {{ loop.index }}</button></li>
        {% endfor %}</ul>
        <button ws-click="fail">Fail</button><button id="secret">Secret</button>
        </div>
        """,
    "src/pages/page.py": "SSG = True\n",
    "src/pages/page.html": """
        {% extends "html/base.html" %}
        {% block main %}{{ component('Guestbook') }}{% endblock %}
        """,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(write_site(tmp_path_factory.mktemp("events"), SITE)) as base:
        yield base


@pytest.fixture
def tab(chromium: Browser, url: str) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def test_typing_calls_the_method_and_keeps_the_text(tab: Page) -> None:
    tab.get_by_label("Search").press_sequentially("héllo wörld 🙂", delay=15)
    expect(tab.get_by_text("Query: héllo wörld 🙂")).to_be_visible()
    expect(tab.get_by_label("Search")).to_have_value("héllo wörld 🙂")
    expect(tab.get_by_label("Search")).to_be_focused()


def test_a_form_reaches_the_method_with_its_types(tab: Page) -> None:
    tab.get_by_label("Text").fill("<b>hi</b>")
    tab.get_by_role("button", name="Sign").click()
    expect(tab.get_by_role("listitem")).to_contain_text("<b>hi</b> **")
    tab.get_by_label("Text").fill("second")
    tab.get_by_role("button", name="Sign").click()
    expect(tab.get_by_role("listitem")).to_have_count(2)
    tab.get_by_role("button", name="Remove 1").click()
    expect(tab.get_by_role("listitem")).to_have_count(1)
    expect(tab.get_by_role("listitem")).to_contain_text("second")
    tab.reload()
    expect(tab.get_by_role("listitem")).to_contain_text("second")


def test_a_bound_field_is_written(tab: Page) -> None:
    tab.get_by_label("Name").fill("Ada")
    expect(tab.get_by_text("Name: Ada")).to_be_visible()


def test_a_failing_or_forbidden_call_leaves_the_component_alive(tab: Page) -> None:
    tab.get_by_role("button", name="Fail").click()
    # No site starts with this in a template, but anybody can write it into a page.
    secret = tab.get_by_role("button", name="Secret")
    secret.evaluate("button => button.setAttribute('ws-click', 'secret')")
    secret.click()
    tab.get_by_label("Text").fill("still here")
    tab.get_by_role("button", name="Sign").click()
    expect(tab.get_by_role("listitem")).to_have_count(1)
    expect(tab.get_by_role("listitem")).to_contain_text("still here **")


def test_two_visitors_do_not_share_a_state(tab: Page, chromium: Browser, url: str) -> None:
    tab.get_by_label("Text").fill("mine")
    tab.get_by_role("button", name="Sign").click()
    expect(tab.get_by_role("listitem")).to_have_count(1)
    other = chromium.new_context()
    page = other.new_page()
    page.goto(url)
    expect(page.get_by_text("Query:")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(0)
    other.close()
