"""ASOK_CSRF=headers: forms without tokens, checked by where the browser says they come from."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from starlette.testclient import TestClient
from tests.site import load_site, serve, write_site

from asok.asgi.stored_pages import StoredPages

from .conftest import Open

SITE = {
    "src/pages/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get(request):
            return request.html("form.html", own=request.csrf_input, token=request.csrf_token)
        def post(request):
            return "got " + request.form["name"]
        """,
    "src/pages/form.html": """
        <!doctype html><html lang="en"><head><title>x</title><link rel="icon" href="data:,"></head>
        <body><form method="post"><input name="name" value="ada"><button>Send</button></form>
        {% cache "other" %}<form method="post" action="/">{{ csrf_input() }}</form>{% endcache %}
        <i>{{ own }}{{ own() }}{{ token }}{{ csrf_token }}{{ csrf_input }}</i>
        {{ component('Counter') }}</body></html>
        """,
    "src/pages/live/page.html": "{{ component('Counter') }}",
    "src/pages/nonce/page.py": """
        SSG = True
        def get(request):
            return request.html("nonce.html")
        """,
    "src/pages/nonce/nonce.html": "<script>1</script><form method='post'></form>",
    "src/pages/cached/page.py": """
        from asok.cache import cache_page
        @cache_page(ttl=60)
        def get(request):
            return request.html("cached.html")
        """,
    "src/pages/cached/cached.html": "<form method='post'></form>",
    "src/pages/hook/page.py": """
        CSRF = False
        def post(request):
            return "hooked"
        """,
    "src/components/Counter.py": """
        from asok import Component, exposed

        class Counter(Component):
            count: int = 0

            @exposed
            def add(self):
                self.count += 1

            def render(self):
                return self.html("counter.html")
        """,
    "src/components/counter.html": """
        <div><form method="post"></form><button ws-click="add">{{ count }}</button></div>
        """,
}
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE, csrf="headers")


def test_a_page_with_a_form_is_the_same_for_everybody(client: TestClient, tmp_path: Path) -> None:
    client.get("/")
    answer = client.get("/")
    assert answer.headers["x-asok-ssg-cache"] == "HIT"
    assert answer.headers["cache-control"].startswith("public, ")
    assert "csrf" not in answer.text
    assert "<i></i>" in answer.text
    assert "set-cookie" not in answer.headers
    tag = {"if-none-match": answer.headers["etag"]}
    assert client.get("/", headers=tag).status_code == 304
    for path in ("/nonce", "/cached", "/live"):
        text = client.get(path).text
        assert "csrf" not in text
        assert '=""' not in text
    stored = [file for file in (tmp_path / ".asok").rglob("*.html") if file.is_file()]
    assert not any(b"csrf" in file.read_bytes() for file in stored)


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost"},
        {"origin": "HTTP://LOCALHOST"},
        {"origin": "http://localhost", "sec-fetch-site": "same-origin"},
        {"origin": "null", "sec-fetch-site": "same-origin"},  # referrer policy: no-referrer
        {"origin": "https://admin.example.org", "sec-fetch-site": "cross-site"},
        {"origin": "https://admin.example.org"},
    ],
)
def test_the_sites_own_forms_are_taken(open_site: Open, headers: dict[str, str]) -> None:
    client = open_site(SITE, csrf="headers", ws_allowed_origins=("https://admin.example.org",))
    answer = client.post("/", data={"name": "ada"}, headers=headers)
    assert (answer.status_code, answer.text) == (200, "got ada")
    assert answer.headers["cache-status"] == "asok; fwd=method"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "neither Sec-Fetch-Site nor Origin"),
        ({"referer": "http://localhost/"}, "CSRF = False"),
        ({"x-csrf-token": "x" * 86}, "neither"),
        ({"origin": "https://evil.example"}, "Origin is 'https://evil.example'"),
        ({"origin": "null"}, "Origin is 'null'"),
        ({"origin": "http://localhost:81"}, "Origin is"),
        ({"origin": "https://localhost"}, "Origin is"),
        ({"sec-fetch-site": "cross-site"}, "Sec-Fetch-Site is 'cross-site'"),
        ({"sec-fetch-site": "same-site"}, "Sec-Fetch-Site is 'same-site'"),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, "'cross-site'"),
        ({"sec-fetch-site": ""}, "expected 'same-origin'"),
        ({"sec-fetch-site": "Same-Origin"}, "expected 'same-origin'"),
    ],
)
def test_whatever_else_is_refused_and_told_why(
    client: TestClient, headers: dict[str, str], message: str
) -> None:
    headers = {**headers, "accept": "application/json"}
    answer = client.post("/", data={"name": "ada"}, headers=headers)
    assert answer.status_code == 403
    assert message in answer.json()["error"]
    assert client.post("/hook", headers=headers).text == "hooked"


def test_a_missing_token_is_refused_where_tokens_are_used(open_site: Open) -> None:
    client = open_site(SITE)
    assert client.post("/", data={"name": "ada"}, headers=OWN).status_code == 403
    text = client.get("/").text
    assert len(re.findall('name="csrf_token" value="[^"]{86}"', text)) == 6


def test_pages_from_before_the_setting_are_made_anew(tmp_path: Path) -> None:
    root = write_site(tmp_path, SITE)
    with TestClient(load_site(root), base_url="http://localhost") as client:
        assert "csrf_token" in client.get("/").text
    app = load_site(root, csrf="headers")
    with TestClient(app, base_url="http://localhost") as client:
        old = client.get("/")
        assert int(old.headers["content-length"]) == len(old.content)
        assert "set-cookie" not in old.headers
        assert isinstance(app.pages, StoredPages)
        assert app.pages.regenerator.drain()
        assert "csrf_token" not in client.get("/").text


@contextmanager
def foreign(target: str) -> Generator[str]:
    """A page of another origin that sends a form to `target`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                '<!doctype html><link rel="icon" href="data:,">'
                f'<form method="post" action="{target}">'
                '<input name="name" value="mallory"><button>Send</button></form>'
            ).encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.browser
def test_a_browser_sends_the_sites_form_and_no_foreign_one(
    tmp_path: Path, page: Page, console_errors: list[str]
) -> None:
    root = write_site(tmp_path, SITE)
    with serve(root, ASOK_CSRF="headers") as url, foreign(url) as evil:
        for _ in range(2):
            first = page.goto(url)
            assert first is not None
            assert first.headers["cache-control"].startswith("public, ")
            assert "etag" in first.headers
            page.click("text=Send")
            assert page.inner_text("body") == "got ada"
        page.goto(evil)
        page.click("text=Send")
        page.wait_for_url(url + "/")
        assert "This request was refused" in page.inner_text("body")
        assert "cross-site" in page.inner_text("body")
        page.goto(f"{url}/live")
        page.click("button >> text=0")
        page.wait_for_selector("button >> text=1")
        assert "csrf" not in page.content()
        page.goto("about:blank")
    # Answers without markup ask for /favicon.ico.
    console_errors[:] = [one for one in console_errors if not re.search("40[34]", one)]
