"""Chromium's verdict on pages whose own inline tags are allowed by hash."""

from __future__ import annotations

import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page

from asok import holes
from asok.jinja import Hashing, Templates
from asok.sessions import Policy

from .conftest import CONTEXT, SHARED
from .test_browser import INJECTED, NAMES, PAGES

pytestmark = pytest.mark.browser


def answer(name: str) -> tuple[str, str]:
    """Return a page of `PAGES` and its policy; its first script only makes `ran`."""
    hashing = Hashing(Policy({"script-src": "'none'", "style-src": "'none'"}))
    source = f'<script>window.ran = []</script><p id="mark">m</p>{PAGES[name][0]}'
    values = {**CONTEXT, "bad": INJECTED, "dangling": "<script src='/evil.js' x=\""}
    with holes.use(hashing.sentinels):
        text = Templates(roots=[SHARED]).render_string(source, values)
    holed, header = hashing.finish(text.encode())
    assert header is not None
    return holed.body.decode(), header


@pytest.fixture(scope="module")
def site() -> Generator[str]:
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


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_template_wrote_runs(
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
