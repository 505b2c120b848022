"""Fields that hold several values, and forms with files."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.site import serve, write_site

from .server import until

pytestmark = pytest.mark.browser

SITE = {
    "src/components/Order.py": """\
        from datetime import date

        from asok import Component, Upload
        from asok.component import exposed

        class Order(Component):
            sizes: list[int] = [2]
            extras: list[str] = []
            only: list[str] = []
            agreed: bool = False
            ticked: bool = False
            how: str = "post"
            count: int | None = None
            day: date | None = None
            seen: str = ""
            _bindable = ["sizes", "extras", "only", "agreed", "ticked", "how", "count", "day"]

            @exposed
            def picked(self, name: str, value):
                self.seen = f"{name}={value!r}"

            @exposed
            def put(self, photos: list[Upload], title: str, tags: list[str], dry: bool):
                if title == "bad":
                    raise RuntimeError("broken")
                sizes = [len(photo.read()) for photo in photos]
                self.seen = f"{title} {sizes} {tags} {dry}"
                self.dispatch("put", len(sizes))

            def validate_title(self, title: str):
                if not title:
                    raise ValueError("Say what it is.")

            def render(self):
                return self.html("order.html")
        """,
    "src/components/order.html": """\
        <output id="all">{{ sizes }} {{ extras }} {{ only }} {{ agreed }} {{ ticked }} {{ how }}
        {{ count }} {{ day }}</output><output id="seen">{{ seen }}</output>
        <select multiple id="sizes" ws-model="sizes">{% for n in range(4) %}
        <option value="{{ n }}"{% if n in sizes %} selected{% endif %}>{{ n }}</option>
        {% endfor %}</select>
        {% for one in ["a", "b", "c"] %}<input type="checkbox" id="{{ one }}" value="{{ one }}"
        ws-model="extras"{% if one in extras %} checked{% endif %}>{% endfor %}
        <input type="checkbox" id="only" value="yes" ws-model.debounce-20="only"
        {%- if only %} checked{% endif %}>
        <input type="checkbox" id="agreed" ws-model="agreed"{% if agreed %} checked{% endif %}>
        <input type="checkbox" id="ticked" value="1" ws-model.lazy="ticked"
        {%- if ticked %} checked{% endif %}>
        <input type="radio" name="how" value="post" ws-model="how"
        {%- if how == "post" %} checked{% endif %}>
        <input type="radio" name="how" value="air" id="air" ws-model="how"
        {%- if how == "air" %} checked{% endif %}>
        <input type="number" id="count" ws-model="count"><input type="date" id="day" ws-model="day">
        <div ws-change="picked"><select multiple name="many" id="many"><option>x</option>
        <option>y</option></select><input type="file" name="one" id="one"></div>
        <form ws-submit="put"><input type="file" name="photos" id="photos" multiple>
        <input name="title" id="title">{% if errors.title %}<i>{{ errors.title }}</i>{% endif %}
        <input type="checkbox" name="tags" value="t" id="tag"><input type="checkbox" name="dry">
        <progress ws-progress></progress><button>Send</button></form>
        """,
    "src/pages/page.html": """\
        <!doctype html><title>Order</title><link rel="icon" href="data:,">
        {{ component('Order') }}
        """,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with serve(write_site(tmp_path_factory.mktemp("several"), SITE)) as url:
        yield url


def test_models_take_all_that_a_field_holds(page: Page, site: str) -> None:
    with page.expect_response("**/more-*"):
        page.goto(site)
    shown, seen = page.locator("#all"), page.locator("#seen")
    page.locator("#sizes").select_option(["1", "3"])
    expect(shown).to_have_text("[1, 3] [] [] False False post None None")
    page.locator("#sizes").select_option([])
    for one in "abc":
        page.locator(f"#{one}").check()
    page.locator("#b").uncheck()
    page.locator("#only").check()
    expect(shown).to_have_text("[] ['a', 'c'] ['yes'] False False post None None")
    page.locator("#agreed").check()
    page.locator("#ticked").check()
    page.locator("#air").check()
    page.locator("#count").fill("12")
    page.locator("#day").fill("2026-11-21")
    expect(shown).to_have_text("[] ['a', 'c'] ['yes'] True True air 12 2026-11-21")
    page.locator("#only").uncheck()
    page.locator("#ticked").uncheck()
    page.locator("#agreed").uncheck()
    page.locator("#count").fill("")
    expect(shown).to_have_text("[] ['a', 'c'] [] False False air None 2026-11-21")
    page.locator("#many").select_option(["x", "y"])
    expect(seen).to_have_text("many=['x', 'y']")
    page.locator("#one").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b""})
    expect(seen).to_have_text("one='a.txt'")


def test_files_are_sent_with_their_progress(page: Page, site: str, tmp_path: Path) -> None:
    with page.expect_response("**/more-*"):
        page.goto(site)
    files = [tmp_path / "a.bin", tmp_path / "b.bin"]
    for n, path in enumerate(files, start=1):
        path.write_bytes(b"x" * n * 400_000)
    page.evaluate(
        """() => { window.got = []; window.loaded = document;
             addEventListener("asok:progress", ({ detail }) => got.push(detail.loaded));
             addEventListener("put", ({ detail }) => { window.put = detail }) }"""
    )
    page.locator("#photos").set_input_files(files)
    page.locator("form button").click()
    # What is wrong is said beside its field, and the method did not run.
    expect(page.locator("form i")).to_have_text("Say what it is.")
    page.locator("#photos").set_input_files(files)
    page.locator("#title").fill("Sea")
    page.locator("#tag").check()
    page.locator("form button").click()
    expect(page.locator("#seen")).to_have_text("Sea [400000, 800000] ['t'] False")
    assert page.evaluate("[put, got.length > 1, got.at(-1) > 1_200_000, loaded == document]") == [
        *[2, True, True, True]
    ]
    assert page.locator("#photos").evaluate("field => field.files.length") == 0
    assert page.locator("#title").input_value() == ""
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    # Also without files.
    page.locator("#title").fill("Land")
    page.locator("form button").click()
    expect(page.locator("#seen")).to_have_text("Land [] [] False")


def test_an_upload_that_fails_keeps_what_was_chosen(
    page: Page, site: str, console_errors: list[str]
) -> None:
    with page.expect_response("**/more-*"):
        page.goto(site)
    page.evaluate(
        """addEventListener("asok:error",
             ({ detail }) => { window.error = detail[3] }, { capture: true })"""
    )
    for title, code, size in [("bad", "failed", 1), ("big", "upload", 11_000_000)]:
        page.locator("#photos").set_input_files(
            {"name": "a", "mimeType": "text/plain", "buffer": b"x" * size}
        )
        page.locator("#title").fill(title)
        page.locator("form button").click()
        until(page, "code => window.error == code", code)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert page.locator("#photos").evaluate("field => field.files.length") == 1
        assert page.locator("#title").input_value() == title
    console_errors.clear()
