"""A real site whose worker is really killed: what the visitor has stays, and the bytes it takes."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect
from tests.services import free_port, wait_until
from tests.site import environment, serve, wait_until_up, write_site

from .server import Component, LiveServer, until, wrapper

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
}


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


def test_a_killed_worker_takes_nothing_away(
    page: Page, tmp_path: Path, console_errors: list[str]
) -> None:
    root, port = write_site(tmp_path, SITE), free_port()
    process = start(root, port)
    try:
        page.goto(f"http://localhost:{port}/")
        page.locator("#add").click()
        expect(page.locator("#count")).to_have_text("1")
        page.evaluate("document.documentElement.dataset.same = 'page'")
        page.evaluate("document.querySelector('#more').showModal()")
        page.get_by_label("Note").fill("not saved")
        page.evaluate("scrollTo(0, 900)")
        assert page.evaluate("scrollY") == 900
        process.kill()
        process.wait()
        until(page, "document.documentElement.matches('.asok-offline')")
        # Called while nobody is there, and once more by the answer that never came.
        page.evaluate("document.querySelector('#add').click()")
        page.evaluate("document.querySelector('#add').click()")
        process = start(root, port)
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator("#count")).to_have_text("3", timeout=10_000)
        until(page, "!document.documentElement.matches('.asok-offline')")
        assert page.evaluate("document.documentElement.dataset.same") == "page"
        assert page.get_by_label("Note").input_value() == "not saved"
        assert page.evaluate("document.querySelector('#more').matches(':modal')")
        assert page.evaluate("scrollY") == 900
        page.reload()
        expect(page.locator("#count")).to_have_text("3")
    finally:
        console_errors.clear()  # the browser tells of each connection that was refused
        page.goto("about:blank")
        process.kill()
        process.wait()


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
