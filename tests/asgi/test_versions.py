"""Two versions of a site behind one address, as during a deploy: everything works or reloads."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.services import wait_until
from tests.site import environment, serve, write_site
from websockets.sync.client import connect

BASE = """\
    <!doctype html>
    <html lang="en"><head><title>{% block title %}Test{% endblock %}</title>
    <link rel="stylesheet" href="{{ static('css/base.css') }}"></head>
    <body>{% block main %}{% endblock %}</body></html>
    """
FIRST = {
    "src/partials/html/base.html": BASE,
    "src/partials/css/base.css": "body { color: red }",
    "src/pages/page.py": "SSG = True\nREVALIDATE = 3600",
    "src/pages/page.html": """\
        {% extends "html/base.html" %}{% block main %}<h1>version 1</h1>
        <script>1</script><form method="post" action="/send"></form>
        {{ component('Hello', greeting='hi', client='load') }}{% endblock %}
        """,
    "src/pages/made/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return []
        def get(request):
            return request.html("made.html", slug=request.params["slug"])
        """,
    "src/pages/made/[slug]/made.html": """\
        {% extends "html/base.html" %}{% block main %}<h1>version 1</h1>{{ slug }}{% endblock %}
        """,
    "src/pages/old/page.py": "SSG = True",
    "src/pages/old/page.html": "<h1>version 1</h1>",
    "src/pages/send/page.py": """
        def post(request):
            request.session["sent"] = request.session.get("sent", 0) + 1
            return f"thanks {request.session['sent']}"
        """,
    "src/components/Hello.py": """
        from asok import Component

        class Hello(Component):
            greeting: str = "hello"
            def render(self):
                return self.html("hello.html")
        """,
    "src/components/hello.html": "<b>{{ greeting }}</b>",
}
SECOND = {
    **{name: text.replace("version 1", "version 2") for name, text in FIRST.items()},
    "src/partials/css/base.css": "body { color: blue }",
    "src/components/Hello.py": """
        from asok import Component

        class Hello(Component):
            greeting: str = "hello"
            times: int = 1
            def render(self):
                return self.html("hello.html")
        """,
}
del SECOND["src/pages/old/page.py"], SECOND["src/pages/old/page.html"]


def build(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "asok", "build"],
        cwd=root, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The first version, and the second beside it over the same preserved `.asok`."""
    first = write_site(tmp_path_factory.mktemp("first"), FIRST)
    build(first)
    with serve(first, "--no-access-log") as old:
        assert httpx.get(f"{old}/made/before").status_code == 200
        second = write_site(tmp_path_factory.mktemp("second"), SECOND)
        (second / ".asok").symlink_to(first / ".asok")
        build(second)
        with serve(second, "--no-access-log") as new:
            yield old, new


def sheet(page: str) -> str:
    return page.partition('rel="stylesheet" href="')[2].partition('"')[0]


def state(page: str) -> str:
    found = re.search(r'data-asok-state="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def test_each_version_serves_its_own_pages(urls: tuple[str, str]) -> None:
    old, new = urls
    for url, version in zip(urls, ("version 1", "version 2"), strict=True):
        for path in ("/", f"/made/{version[-1]}"):
            answer = httpx.get(url + path)
            assert answer.status_code == 200
            assert version in answer.text
    assert httpx.get(old + "/old").status_code == 200
    assert httpx.get(new + "/old").status_code == 404


def test_what_the_old_version_made_on_demand_is_served_until_it_is_made_anew(
    urls: tuple[str, str],
) -> None:
    old, new = urls
    first = httpx.get(f"{new}/made/before")
    assert first.status_code == 200
    assert first.headers["x-asok-ssg-cache"] in ("STALE", "HIT", "MISS")
    wait_until(
        lambda: "version 2" in httpx.get(f"{new}/made/before").text, what="the new version's page"
    )
    assert "version 1" in httpx.get(f"{old}/made/before").text


def test_the_files_of_each_version_come_from_both(urls: tuple[str, str]) -> None:
    old, new = urls
    address = sheet(httpx.get(old).text)
    for url in urls:
        answer = httpx.get(url + address)
        assert (answer.status_code, answer.text) == (200, "body{color:red}")
        assert "immutable" in answer.headers["cache-control"]
    address = sheet(httpx.get(new).text)
    assert httpx.get(new + address).text == "body{color:blue}"
    # The old version doesn't know it: its own file, and nobody keeps that.
    unknown = httpx.get(old + address)
    assert unknown.status_code == 200
    assert unknown.headers["cache-control"] == "public, no-cache"


def test_a_visitor_sent_from_one_to_the_other_keeps_session_and_forms(
    urls: tuple[str, str],
) -> None:
    with httpx.Client() as client:
        turns = cycle(urls)
        for count in range(1, 7):
            page = client.get(next(turns))
            assert page.status_code == 200
            token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
            sent = client.post(next(turns) + "/send", data={"csrf_token": token})
            assert (sent.status_code, sent.text) == (200, f"thanks {count}")
            next(turns)  # the other way round the next time


def test_a_component_of_one_version_lives_or_reloads_on_the_other(urls: tuple[str, str]) -> None:
    for page in urls:
        answer = httpx.get(page)
        for url in urls:
            ws = url.replace("http", "ws", 1) + "/asok/live"
            cookie = {"cookie": f"asok={answer.cookies['asok']}"}
            with connect(ws, origin=url, additional_headers=cookie, proxy=None) as live:  # type: ignore[arg-type]
                live.send(json.dumps(["j", 1, state(answer.text), "tab"]))
                frame: Any = json.loads(live.recv(10))
                # Mounted again from its constructor's values, or asked to reload once.
                assert frame[0] in ("o", "h", "r"), frame
