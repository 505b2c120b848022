"""A real site whose worker is really killed: what the visitor has stays, and the bytes it takes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect
from tests.services import free_port, open_chromium, wait_until
from tests.site import environment, serve, wait_until_up, write_site

from .server import Component, LiveServer, until, wrapper
from .test_transports import BLOCKED

pytestmark = pytest.mark.browser

SITE = {
    "src/components/Desk.py": """\
        from asok import Component
        from asok.component import exposed

        class Desk(Component):
            count: int = 0
            row: int = -1

            @exposed
            def add(self):
                self.count += 1

            @exposed
            def mark(self, row: int):
                self.row = row

            def render(self):
                return self.html("desk.html")
        """,
    "src/components/desk.html": """\
        <p><b id="count">{{ count }}</b> <button id="add" ws-click="add">Add</button></p>
        <dialog id="more"><label>Note <input name="note"></label></dialog>
        <button id="mark" ws-click="mark(120)">Mark</button>
        <table>{% for n in range(200) %}
        <tr key="{{ n }}"{% if n == row %} class="marked"{% endif %}><td>{{ n }}</td></tr>
        {%- endfor %}</table>
        """,
    "src/partials/html/base.html": """\
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Desk</title>
        <link rel="icon" href="data:,"></head><body><main><h1>Desk</h1>
        {% block main %}{% endblock %}</main></body></html>
        """,
    "src/pages/page.html": """\
        {% extends "html/base.html" %}{% block main %}{{ component('Desk') }}{% endblock %}
        """,
    "src/pages/elsewhere/page.html": "elsewhere",
}


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    with open_chromium(history=True) as browser:
        yield browser


def start(root: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "uvicorn", "wsgi:app", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    wait_until_up(f"http://localhost:{port}", process)
    return process


class Desk:
    """A visitor at work: a field that was not saved, a dialog open, scrolled down."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        page.locator("#add").click()
        expect(page.locator("#count")).to_have_text("1")
        page.evaluate("document.documentElement.dataset.same = 'page'")
        page.evaluate("document.querySelector('#more').showModal()")
        page.get_by_label("Note").fill("not saved")
        page.evaluate("scrollTo(0, 900)")
        assert page.evaluate("scrollY") == 900
        page.evaluate(
            """() => { window.away = [];
                 new MutationObserver(() => {
                   if (document.documentElement.matches(".asok-offline")) window.gone = true;
                   else if (window.gone) away.push(performance.now()) }
                 ).observe(document.documentElement, { attributeFilter: ["class"] }) }"""
        )

    def add(self) -> None:
        self.page.evaluate("document.querySelector('#add').click()")

    def is_as_it_was(self, count: int) -> None:
        """Check that nothing was lost, nothing ran twice, and no page was loaded."""
        page = self.page
        expect(page.locator("#count")).to_have_text(str(count), timeout=15_000)
        until(page, "!document.documentElement.matches('.asok-offline')")
        assert page.evaluate("document.documentElement.dataset.same") == "page"
        assert page.get_by_label("Note").input_value() == "not saved"
        assert page.evaluate("document.querySelector('#more').matches(':modal')")
        assert page.evaluate("scrollY") == 900
        assert page.evaluate("document.activeElement.name") == "note"
        assert page.locator("[aria-busy=true]").count() == 0


@pytest.mark.parametrize("how", ["killed", "deployed", "asleep"])
def test_a_worker_that_goes_takes_nothing_away(
    page: Page, tmp_path: Path, console_errors: list[str], how: str
) -> None:
    root, port = write_site(tmp_path, SITE), free_port()
    process = start(root, port)
    try:
        desk = Desk(page, f"http://localhost:{port}/")
        session = page.context.new_cdp_session(page)
        if how == "asleep":  # as a phone in a pocket, while the server is renewed
            session.send("Page.setWebLifecycleState", {"state": "frozen"})
        process.send_signal(signal.SIGTERM if how == "deployed" else signal.SIGKILL)
        process.wait()
        if how != "asleep":
            until(page, "document.documentElement.matches('.asok-offline')")
            # Called while nobody is there, and once more by the answer that never came.
            desk.add()
            desk.add()
        process = start(root, port)
        if how == "asleep":
            session.send("Page.setWebLifecycleState", {"state": "active"})
            until(page, "away.length")
            desk.add()
            desk.add()
        # Nobody tells the page that the server is back: it looks every two seconds at least.
        desk.is_as_it_was(3)
        page.reload()
        expect(page.locator("#count")).to_have_text("3")
    finally:
        console_errors.clear()  # the browser tells of each connection that was refused
        page.goto("about:blank")
        process.kill()
        process.wait()


def test_a_page_without_a_socket_says_that_its_server_is_gone_until_it_is_back(
    page: Page, tmp_path: Path, console_errors: list[str]
) -> None:
    listening = "@listens('desk')\n            def hear(self): ...\n\n            @exposed"
    desk = SITE["src/components/Desk.py"].replace("@exposed", listening, 1)
    desk = desk.replace("import exposed", "import exposed, listens")
    root, port = write_site(tmp_path, {**SITE, "src/components/Desk.py": desk}), free_port()
    process = start(root, port)
    try:
        page.add_init_script(BLOCKED)
        with page.expect_response(
            lambda answer: answer.headers.get("content-type", "").startswith("text/event-stream")
        ):
            page.goto(f"http://localhost:{port}/")
        page.evaluate(
            """() => { window.turns = [];
                 new MutationObserver(() => {
                   const gone = document.documentElement.matches(".asok-offline");
                   if (gone != turns.at(-1)) turns.push(gone) }
                 ).observe(document.documentElement, { attributeFilter: ["class"] }) }"""
        )
        process.kill()
        process.wait()
        # Nobody has called anything.
        until(page, "document.documentElement.matches('.asok-offline')")
        page.wait_for_timeout(3000)
        process = start(root, port)
        until(page, "!document.documentElement.matches('.asok-offline')")
        assert page.evaluate("turns") == [True, False]
        page.locator("#add").click()
        expect(page.locator("#count")).to_have_text("1")
    finally:
        console_errors.clear()
        page.goto("about:blank")
        process.kill()
        process.wait()


def test_offline_and_the_back_forward_cache_take_nothing_away(
    page: Page, tmp_path: Path, console_errors: list[str]
) -> None:
    with serve(write_site(tmp_path, SITE)) as url:
        desk = Desk(page, url)
        page.context.set_offline(True)
        # A network that is gone closes no socket; it is asked again as soon as it is there.
        desk.add()
        page.context.set_offline(False)
        desk.is_as_it_was(2)
        page.evaluate("addEventListener('pageshow', e => { window.persisted = e.persisted })")
        page.goto(url + "/elsewhere", wait_until="commit")
        page.wait_for_url("**/elsewhere")
        page.evaluate("() => { history.back() }")
        until(page, "window.persisted")
        desk.add()
        desk.is_as_it_was(3)
        console_errors.clear()
        page.goto("about:blank")


def test_a_thousand_pages_that_lost_a_server_come_back_within_two_seconds_but_not_at_once(
    page: Page, server: LiveServer
) -> None:
    page.add_init_script(
        """window.waits = []; const plain = window.setTimeout;
           window.setTimeout = (work, ms, ...rest) => {
             waits.push(ms);
             return plain(work, 0, ...rest);
           };
           window.WebSocket = class {
             readyState = 3;
             constructor() { plain(() => this.onclose?.({ type: "close" })) }
             close() {} }"""
    )
    page.goto(server.page(wrapper("x")))
    until(page, "waits.length > 200")
    waits: list[float] = page.evaluate("waits.filter(ms => ms > 100)")
    assert 128 <= waits[0] < 256
    assert all(950 < wait < 1920 for wait in waits[4:])
    assert len(set(waits)) > 100
    page.goto("about:blank")


def test_a_page_from_the_back_forward_cache_shows_what_happened_meanwhile(
    page: Page, server: LiveServer
) -> None:
    def increment(state: dict[str, object], data: object) -> None:
        state["count"] = int(str(state["count"])) + 1

    component = Component(
        lambda state: f'<b>{state["count"]}</b><button ws-click="increment">+</button>',
        {"count": 0},
        {"increment": increment},
    )
    server.serve(component)
    page.goto(server.page(wrapper(component.render(component.state))))
    wait_until(lambda: bool(server.got("j")), what="the join")
    page.evaluate("addEventListener('pageshow', event => { window.persisted = event.persisted })")
    page.locator("button").click()
    expect(page.locator("b")).to_have_text("1")
    server.pages["/second"] = "<!doctype html><title>second</title>"
    page.goto(server.url + "/second")
    wait_until(lambda: server.connected == 0, what="the close of the socket", limit=10)
    component.state["count"] = 50
    component.push()
    # Playwright's own going back waits for a navigation that never comes.
    page.evaluate("() => { history.back() }")
    wait_until(lambda: len(server.got("j")) == 2, what="the join after coming back", limit=10)
    until(page, "document.querySelector('b').textContent == 50")
    assert page.evaluate("window.persisted")
    page.locator("button").click()
    until(page, "document.querySelector('b').textContent == 51")
    joins = server.got("j")
    assert len(joins) == 2
    assert joins[0][3] == joins[1][3]


def test_few_bytes_tell_of_a_click_and_of_a_row(page: Page, tmp_path: Path) -> None:
    sent: list[str] = []
    received: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: sent.append(str(payload)))
        socket.on("framereceived", lambda payload: received.append(str(payload)))

    page.on("websocket", listen)
    with serve(write_site(tmp_path, SITE)) as url:
        page.goto(url)
        # The first answer is everything; from then on it is the difference.
        page.locator("#add").click()
        expect(page.locator("#count")).to_have_text("1")
        sent.clear()
        received.clear()
        page.locator("#add").click()
        expect(page.locator("#count")).to_have_text("2")
        wait_until(lambda: len(received) == 1, what="the answer")
        assert len(sent[0].encode()) <= 100, sent
        assert len(received[0].encode()) <= 100, received
        received.clear()
        page.locator("#mark").click()
        expect(page.locator("tr.marked")).to_have_count(1)
        assert len(received[0].encode()) <= 300, received
        page.goto("about:blank")


@pytest.mark.soak
def test_200_characters_at_15_a_second_between_pushes(page: Page, server: LiveServer) -> None:
    def typed(state: dict[str, object], data: dict[str, object]) -> None:
        state["q"] = data["value"]

    component = Component(
        lambda state: (
            f'<p>{state["pushes"]}</p><input id="f" name="q" ws-input="typed" '
            f'value="{state["q"]}"><b>{state["q"]}</b>'
        ),
        {"q": "", "pushes": 0},
        {"typed": typed},
    )
    chance = random.Random(4)
    server.delay = lambda: 0.8 * chance.random()
    server.serve(component)
    page.goto(server.page(wrapper(component.render(component.state))))
    wait_until(lambda: bool(server.got("j")), what="the join")
    letters = "abcdefghijklmnopqrstuvwxyz 0123456789"
    text = "".join(chance.choice(letters) for _ in range(199)) + "."
    page.locator("#f").focus()
    page.evaluate(
        """() => { window.seen = [];
             document.querySelector("#f").addEventListener("input", ({ target }) =>
               seen.push([target.value.length, target.selectionStart])) }"""
    )
    for at, letter in enumerate(text):
        page.keyboard.type(letter, delay=0)
        if at % 7 == 0:
            component.state["pushes"] = at
            server.send(component.push())
        page.wait_for_timeout(1000 / 15)
    until(page, "t => document.querySelector('b').textContent == t", text)
    assert page.locator("#f").input_value() == text
    assert page.evaluate("seen") == [[n, n] for n in range(1, 201)]
    assert component.state["q"] == text
