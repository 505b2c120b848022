"""Chromium's own verdict: what runs under a nonce policy, and where it sees the tags."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from asok import holes
from asok.jinja import Templates, html
from asok.jinja.state import State
from asok.jinja.tag import Tag

from .conftest import CASES, CONTEXT, SHARED

pytestmark = pytest.mark.browser

INJECTED = (
    "<script>ran.push('injected')</script><style>#mark { color: rgb(1, 2, 3) }</style>"
    "<img src=x onerror=\"ran.push('handler')\">"
)

#: What the template's own tags do, and what must have run then; `{{ bad|safe }}` is injected.
PAGES = {
    "plain": ("<script>ran.push(1)</script>{{ bad|safe }}<script>ran.push(2)</script>", [1, 2]),
    "upper-case": ("<SCRIPT\nDEFER>ran.push(1)</SCRIPT>{{ bad|safe }}", [1]),
    "own nonce": ('<script nonce="{{ nonce }}">ran.push(1)</script>{{ bad|safe }}', [1]),
    "own nonce in a branch": (
        '<script{% if a %} nonce="{{ nonce }}"{% endif %}>ran.push(1)</script>{{ bad|safe }}',
        [1],
    ),
    "dynamic attributes": ("<script {{ attributes }}>ran.push(1)</script>{{ bad|safe }}", [1]),
    "module": ('<script type="module">ran.push(1)</script>{{ bad|safe }}', [1]),
    "branches": (
        "{% if a %}<script>{% else %}<script defer>{% endif %}ran.push(1)</script>{{ bad|safe }}",
        [1],
    ),
    "loop": (
        "{% for i in items %}<script>ran.push({{ i }})</script>{{ bad|safe }}{% endfor %}",
        [1, 2],
    ),
    "macro": (
        "{% macro m(x) %}{{ bad|safe }}<script>ran.push({{ x }})</script>{% endmacro %}"
        "{{ m(1) }}{{ m(2) }}",
        [1, 2],
    ),
    "call": (
        "{% macro m() %}{{ caller() }}{% endmacro %}"
        "{% call m() %}<script>ran.push(1)</script>{{ bad|safe }}{% endcall %}",
        [1],
    ),
    "set": ("{% set s %}<script>ran.push(1)</script>{% endset %}{{ s }}{{ bad|safe }}", [1]),
    "cached": ('{% cache "k" %}<script>ran.push(1)</script>{{ bad|safe }}{% endcache %}', [1]),
    "component": (
        '{% component "C" %}<script>ran.push(1)</script>{{ bad|safe }}{% endcomponent %}',
        [1],
    ),
    "raw gets nothing": (
        "{% raw %}<script>ran.push('raw')</script>{% endraw %}<script>ran.push(1)</script>",
        [1],
    ),
    "comment": ("<!-- <script> --><script>ran.push(1)</script>{{ bad|safe }}", [1]),
    "escaped script": (
        '<script><!-- "<script>" + "</script>" //-->\nran.push(1)</script>{{ bad|safe }}',
        [1],
    ),
    "attribute": (
        "<p title=\"<script>ran.push('a')</script>\"></p><script>ran.push(1)</script>",
        [1],
    ),
    "svg": ("<svg><script>ran.push(1)</script></svg>{{ bad|safe }}", [1]),
    "template": (
        "<template><script>ran.push('t')</script></template><script>ran.push(1)</script>",
        [1],
    ),
    "srcdoc": (
        '<iframe srcdoc="<script>parent.ran.push(9)</script>"></iframe>'
        "<script>ran.push(1)</script>{{ bad|safe }}",
        [1],
    ),
    "value in an attribute": ('<p title="{{ bad }}"></p><script>ran.push(1)</script>', [1]),
    "value in a textarea": ("<textarea>{{ bad }}</textarea><script>ran.push(1)</script>", [1]),
    "value as text": ("{{ bad }}<script>ran.push(1)</script>", [1]),
    "dangling value": (
        "{{ dangling|safe }}<script>ran.push(1)</script>",
        [],  # its nonce became text of the injected tag, which the browser does not accept
    ),
    "style": (
        "<style>#mark { opacity: 0.5 }</style>{{ bad|safe }}<script>ran.push(1)</script>",
        [1],
    ),
    "child": (
        '{% extends "base.html" %}{% block js %}ran.push(1){% endblock %}'
        "{% block main %}{{ bad|safe }}<script>ran.push(2)</script>{% endblock %}",
        [1, 2],
    ),
}
NAMES = sorted(PAGES)


def rendered(source: str, nonce: str, **more: Any) -> str:
    templates = Templates(roots=[SHARED])
    with holes.use(holes.VisitorSecrets(lambda: nonce, lambda: "CsRf")):
        return templates.render_string(source, {**CONTEXT, **more})


@contextmanager
def served(answer: Callable[[str], tuple[str, str]]) -> Generator[str]:
    """A server of `PAGES` by number: `answer` gives a page's text and its policy by name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                text, policy = answer(NAMES[int(self.path.removeprefix("/"))])
            except ValueError:
                self.send_error(404)
                return
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def only_what_the_template_wrote_runs(
    page: Page, console_errors: list[str], site: str, name: str
) -> None:
    page.goto(f"{site}/{NAMES.index(name)}", wait_until="load")
    assert page.evaluate("window.ran") == PAGES[name][1]
    look = page.evaluate(
        "(({color, opacity}) => [color, opacity])"
        "(getComputedStyle(document.querySelector('#mark')))"
    )
    assert look == ["rgb(0, 0, 0)", "0.5" if name == "style" else "1"]
    # The console tells what the policy refused, which is what this test wants.
    console_errors.clear()


def answer(name: str) -> tuple[str, str]:
    """Return a page of `PAGES` under a nonce, and its policy; its first script only makes `ran`."""
    nonce = "Zm9vYmFyYmF6cXV4MTIzNA"
    dangling = "<script src='/evil.js' x=\""
    body = rendered(PAGES[name][0], nonce, bad=INJECTED, dangling=dangling)
    text = f'<script nonce="{nonce}">window.ran = []</script><p id="mark">m</p>{body}'
    return text, f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with served(answer) as url:
        yield url


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_template_wrote_runs(
    page: Page, console_errors: list[str], site: str, name: str
) -> None:
    only_what_the_template_wrote_runs(page, console_errors, site, name)


READ = """texts => texts.map(text => {
  const found = new DOMParser().parseFromString('<!doctype html><body>' + text, 'text/html');
  const result = {tags: [], nonces: 0, fields: 0};
  const walk = root => root.querySelectorAll('*').forEach(element => {
    const name = element.localName;
    if (name === 'script' || name === 'style') result.tags.push(name);
    if (element.getAttribute('nonce') === 'NoNcE' && ['script', 'style'].includes(name))
      result.nonces += 1;
    if (name === 'input' && element.getAttribute('value') === 'CsRf') result.fields += 1;
    if (element.content) walk(element.content);
  });
  walk(found);
  return result;
})"""


def own_reading(text: str) -> list[str]:
    found: list[str] = []

    def seen(state: State, tag: Tag, end: int) -> None:
        if not tag.closing and tag.name in ("script", "style"):
            found.append(tag.name)

    html.feed(State(), text, 0, raw=False, seen=seen)
    return found


def test_chromium_reads_every_fixture_as_the_tokeniser_does(chromium: Browser) -> None:
    cases = [case for case in CASES if case.error is None]
    texts = [rendered(case.source, "NoNcE") for case in cases]
    tab = chromium.new_page()
    found: list[dict[str, Any]] = tab.evaluate(READ, texts)
    tab.close()
    for case, text, seen in zip(cases, texts, found, strict=True):
        assert sorted(seen["tags"]) == sorted(own_reading(text)), case.name
        # Every value that was written is on a tag, and none is text or part of another value.
        assert seen["nonces"] == text.count("NoNcE"), case.name
        assert seen["fields"] == text.count("CsRf"), case.name
