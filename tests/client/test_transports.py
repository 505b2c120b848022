"""One suite on every way: a WebSocket, HTTP POST where none gets through, no script, no browser."""

from __future__ import annotations

import random
import urllib.request
from collections.abc import Generator
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.services import wait_until
from tests.site import load_site, serve, write_site

from asok import broadcast
from asok.testing import LivePage, live

pytestmark = pytest.mark.browser

SITE = {
    "src/components/Book.py": """\
        from asok import Component, broadcast, exposed, listens

        class Book(Component):
            names: list[str] = []

            def validate_name(self, name: str):
                if not name:
                    raise ValueError("Write a name.")

            @exposed
            def sign(self, name: str, tags: list[str]):
                self.names = [*self.names, name + "".join(tags)]
                self.emit("signed", name=name)
                self.dispatch("signed", {"name": name})

            @exposed
            def remove(self, at: int, twice: bool):
                del self.names[at]

            @exposed
            def clear(self):
                self.names = []

            @exposed
            def fail(self):
                raise RuntimeError("broken")

            @exposed
            def leave(self, how: str):
                self.redirect("/elsewhere?" + how)

            @listens("news")
            def hear(self, text: str):
                self.names = [*self.names, text]

            def render(self):
                return self.html("book.html")
        """,
    "src/components/book.html": """\
        <p id="names" ws-announce>{{ names|join(", ") }}</p>
        <form ws-submit="sign"><label>Name <input name="name"></label>
        {% if errors.name %}<i role="alert" id="wrong">{{ errors.name }}</i>{% endif %}
        <label>Loud <input type="checkbox" name="tags" value="!"></label>
        <button>Sign</button></form>
        <form ws-submit="clear()"><button>Clear</button></form>
        <form ws-submit="fail"><button>Fail</button></form>
        <form ws-submit="leave('now')"><button>Leave</button></form>
        <button ws-click="remove(0, true)">Remove</button>
        """,
    "src/components/Tally.py": """\
        from asok import Component, listens

        class Tally(Component):
            last: str = "nobody"

            @listens("signed")
            def count(self, name: str):
                self.last = name

            def render(self):
                return self.html("tally.html")
        """,
    "src/components/tally.html": '<p id="last">{{ last }}</p>',
    "src/partials/html/base.html": """\
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Book</title>
        <link rel="icon" href="data:,"></head><body><main><h1>Book</h1>
        {% block main %}{% endblock %}</main></body></html>
        """,
    "src/pages/page.html": """\
        {% extends "html/base.html" %}{% block main %}{{ component('Book') }}
        {{ component('Tally') }}{% endblock %}
        """,
    "src/pages/elsewhere/page.html": """\
        {% extends "html/base.html" %}{% block main %}<p>Elsewhere</p>{% endblock %}
        """,
    "src/components/Search.py": """\
        from asok import Component, listens

        class Search(Component):
            q: str = ""
            news: str = ""
            _bindable = ["q"]

            @listens("news")
            def hear(self, text: str):
                self.news = text

            def render(self):
                return self.html("search.html")
        """,
    "src/components/search.html": """\
        <i>{{ news }}</i><label>Search <input ws-model="q" value="{{ q }}"></label><b>{{ q }}</b>
        """,
    "src/pages/search/page.html": """\
        {% extends "html/base.html" %}{% block main %}{{ component('Search') }}{% endblock %}
        """,
    "src/pages/news/[text]/page.py": """\
        from asok import broadcast

        def get(request):
            broadcast("news", text=request.params["text"])
            return "told"
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


class Visitor(Protocol):
    """Somebody on the page, on one of the ways."""

    def fill(self, label: str, text: str) -> None: ...
    def tick(self, label: str) -> None: ...
    def press(self, button: str) -> None: ...
    def sees(self, selector: str, text: str) -> None: ...
    def broadcast(self, text: str) -> None: ...
    def fails(self) -> None: ...
    def went(self, path: str) -> None: ...
    def reload(self) -> None: ...
    @property
    def dispatched(self) -> list[str]: ...


class InBrowser:
    """In Chromium: with a WebSocket, with POST, or without a script."""

    def __init__(self, page: Page, url: str, transport: str) -> None:
        self.page = page
        self.url = url
        self.transport = transport
        self.loads: list[str] = []
        self.posts: list[str] = []
        page.on("request", lambda request: (
            self.loads if request.is_navigation_request() else self.posts
        ).append(request.method))  # fmt: skip
        page.goto(url)
        if transport != "none":
            page.evaluate(
                """() => { window.signed = [];
                     addEventListener("signed", ({ detail }) => signed.push(detail.name));
                     addEventListener("asok:error", ({ detail }) => { window.error = detail[3] },
                       { capture: true }) }"""
            )

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)

    def tick(self, label: str) -> None:
        self.page.get_by_label(label).check()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def sees(self, selector: str, text: str) -> None:
        expect(self.page.locator(selector)).to_have_text(text, timeout=20_000)

    def broadcast(self, text: str) -> None:
        urllib.request.urlopen(f"{self.url}/news/{text}").close()

    def fails(self) -> None:
        if self.transport == "none":
            with self.page.expect_navigation() as answer:
                self.press("Fail")
            assert answer.value.status == 500
            self.page.goto(self.url)
        else:
            self.press("Fail")
            wait_until(lambda: self.page.evaluate("window.error") == "failed", what="the error")

    def went(self, path: str) -> None:
        self.page.wait_for_url(f"**{path}")

    def reload(self) -> None:
        self.page.reload()

    @property
    def dispatched(self) -> list[str]:
        return self.page.evaluate("signed")


class InTest:
    """In a conversation without browser and socket."""

    def __init__(self, folder: Path) -> None:
        self.page: LivePage = live("/", app=load_site(write_site(folder, SITE)))

    def fill(self, label: str, text: str) -> None:
        self.page.type(label, text)

    def tick(self, label: str) -> None:
        self.page.change(label, True)

    def press(self, button: str) -> None:
        self.page.click(button)

    def sees(self, selector: str, text: str) -> None:
        wait_until(lambda: self.page.find(selector).text == text, what=text, limit=10)

    def broadcast(self, text: str) -> None:
        broadcast("news", text=text)

    def fails(self) -> None:
        with pytest.raises(RuntimeError, match="broken"):
            self.press("Fail")

    def went(self, path: str) -> None:
        assert self.page.redirected == path

    def reload(self) -> None:
        self.page = self.page.reload()

    @property
    def dispatched(self) -> list[str]:
        return [detail["name"] for _, detail in self.page.dispatched]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder = tmp_path_factory.mktemp("transports")
    with serve(write_site(folder, SITE)) as url:
        yield url


@pytest.fixture(params=["socket", "post", "none", "test"])
def visitor(
    request: pytest.FixtureRequest, chromium: Browser, site: str, tmp_path: Path
) -> Generator[Visitor]:
    if request.param == "test":
        yield InTest(tmp_path)
        return
    context = chromium.new_context(java_script_enabled=request.param != "none")
    if request.param == "post":
        context.add_init_script(BLOCKED)
    yield InBrowser(context.new_page(), site, request.param)
    context.close()


def test_every_way_does_the_same(visitor: Visitor) -> None:
    scripted = not isinstance(visitor, InBrowser) or visitor.transport != "none"
    for name, shown in [("Ada", "Ada"), ("Eve & <b>", "Ada, Eve & <b>!")]:
        if name != "Ada":
            visitor.tick("Loud")
        visitor.fill("Name", name)
        visitor.press("Sign")
        visitor.sees("#names", shown)
        if scripted:
            visitor.sees("#last", name)
    # What is wrong is said beside the field, and nothing was done.
    visitor.fill("Name", "")
    visitor.press("Sign")
    visitor.sees("#wrong", "Write a name.")
    visitor.sees("#names", "Ada, Eve & <b>!")
    if isinstance(visitor, InBrowser) and scripted:
        expect(visitor.page.get_by_role("status")).to_have_text("Ada, Eve & <b>!")
        axe = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
        visitor.page.evaluate(axe)
        assert visitor.page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []
    if scripted:
        visitor.press("Remove")
        visitor.sees("#names", "Eve & <b>!")
        visitor.broadcast("tea")
        visitor.sees("#names", "Eve & <b>!, tea")
    visitor.fails()
    visitor.press("Clear")
    visitor.sees("#names", "")
    visitor.fill("Name", "Last")
    visitor.press("Sign")
    visitor.sees("#names", "Last")
    if scripted:
        assert visitor.dispatched == ["Ada", "Eve & <b>", "Last"]
    visitor.reload()
    visitor.sees("#names", "Last")
    visitor.press("Leave")
    visitor.went("/elsewhere?now")
    if isinstance(visitor, InBrowser):
        # Only a form without scripts loads pages: each time the door, and the page it leads to.
        assert len(visitor.loads) > 10 if not scripted else visitor.loads == ["GET"] * 3
        assert ("POST" in visitor.posts) == (visitor.transport == "post")


LETTERS = "abcdefghijklmnopqrstuvwxyz 0123456789"
LONG = "".join(random.Random(8).choice(LETTERS) for _ in range(199)) + "."


@pytest.mark.parametrize(
    "text",
    ["The quick brown fox & 12 dogs", pytest.param(LONG, marks=pytest.mark.soak)],
    ids=["29", "200"],
)
def test_typing_by_post_loses_nothing(chromium: Browser, site: str, text: str) -> None:
    chance = random.Random(4)
    context = chromium.new_context()
    context.add_init_script(BLOCKED)
    page = context.new_page()
    with page.expect_response(
        lambda answer: answer.headers.get("content-type", "").startswith("text/event-stream")
    ):
        page.goto(site + "/search")
    session = context.new_cdp_session(page)
    slow = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    state = "(f => [f.value, f.selectionStart, f.selectionEnd])(document.querySelector('input'))"
    page.locator("input").focus()
    for at, letter in enumerate(text, start=1):
        page.keyboard.type(letter)
        if at % 9 == 0:
            urllib.request.urlopen(f"{site}/news/{at}").close()
            slow["latency"] = chance.randint(0, 800)
            session.send("Network.emulateNetworkConditions", slow)
        page.wait_for_timeout(1000 / 15)
        assert page.evaluate(state) == [text[:at], at, at]
    for made in ("k", "か", "かn", "かん"):
        end = len(made)
        composed = {"text": made, "selectionStart": end, "selectionEnd": end}
        session.send("Input.imeSetComposition", composed)
        page.wait_for_timeout(100)
        assert page.evaluate(state) == [text + made] + [len(text) + end] * 2
    session.send("Input.insertText", {"text": "漢"})
    expect(page.locator("b")).to_have_text(text + "漢", timeout=20_000)
    expect(page.locator("i")).to_have_text(str(len(text) // 9 * 9))
    assert page.evaluate(state)[0] == text + "漢"
    context.close()
