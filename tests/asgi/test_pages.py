"""Pages as they are loaded and served: bad modules are named, stored pages and files are sent."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok.asgi.lifespan import Lifespan
from asok.errors import FreezeError, PageImportError, PageOptionError

from .conftest import Open


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("get = 1", "get is int, expected a function"),
        ("def get(): pass", "can't be called with one argument, the request"),
        ("def get(request, slug): pass", r"request\.params"),
        ("GUARDS = 1\ndef get(request): pass", r"GUARDS = \(require_login,\)"),
        ("CSRF = 'no'\ndef get(request): pass", "CSRF is 'no', expected True or False"),
        ("x = 1", "no handler"),
    ],
)
def test_a_page_module_that_is_none_is_named(tmp_path: Path, source: str, message: str) -> None:
    root = write_site(tmp_path, {"src/pages/a/page.py": source})
    with pytest.raises(PageOptionError, match=message) as caught:
        load_site(root)
    assert caught.value.file == root / "src/pages/a/page.py"


def test_a_page_that_can_not_be_imported_is_named_with_its_line(tmp_path: Path) -> None:
    root = write_site(tmp_path, {"src/pages/a/page.py": "import os\n1 / 0\n"})
    with pytest.raises(PageImportError, match="ZeroDivisionError") as caught:
        load_site(root)
    assert (caught.value.file, caught.value.line) == (root / "src/pages/a/page.py", 2)


STATIC = {
    "src/pages/page.py": "SSG = True\ndef get(request):\n    return request.html('a.html')",
    "src/pages/a.html": "<h1>Home</h1>",
    "src/pages/stream/page.py": "SSG = True\nasync def get(_):\n    yield 'a'\n    yield b'b'",
    "src/partials/js/large.js": "x" * 600_000,
}


@pytest.mark.parametrize("debug", [True, False])
def test_a_static_page_is_the_same_while_developing(open_site: Open, debug: bool) -> None:
    client = open_site(STATIC, debug=debug)
    assert client.get("/").text == "<h1>Home</h1>"
    assert client.get("/stream").text == "ab"
    assert client.head("/").content == b""


@pytest.mark.parametrize("debug", [True, False])
def test_a_large_file_is_sent_in_pieces(open_site: Open, debug: bool) -> None:
    client = open_site(STATIC, debug=debug)
    assert len(client.get("/static/js/large.js").content) == 600_000
    part = client.get("/static/js/large.js", headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, b"xxxxx")
    assert client.head("/static/js/large.js").headers["content-length"] == "600000"
    assert client.post("/static/js/large.js").status_code == 405
    assert client.get("/static/js/none.js").status_code == 404


def test_a_stored_page_answers_conditionally_and_compressed(open_site: Open) -> None:
    client = open_site({**STATIC, "src/pages/a.html": "<p>word</p>" * 500})
    first = client.get("/")
    for coding in ("identity", "gzip", "br"):
        answer = client.get("/", headers={"accept-encoding": coding})
        assert answer.text == first.text
        tag = {"if-none-match": answer.headers["etag"], "accept-encoding": coding}
        unchanged = client.get("/", headers=tag)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["content-security-policy"]
        assert unchanged.headers["cache-control"] == answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def post(request): pass", "answers only OPTIONS, POST"),
        (
            "def get(request): return request.send_file('wsgi.py', root=request.site.root)",
            "answers with a file",
        ),
        ("def get(request): return request.cookies", r"read request\.cookies"),
        ("def get(request): return request.nonce.upper()", "compared, measured, hashed or cut"),
    ],
)
def test_a_static_page_that_can_not_be_stored_fails_the_build(
    tmp_path: Path, source: str, message: str
) -> None:
    app = load_site(write_site(tmp_path, {"src/pages/page.py": f"SSG = True\n{source}"}))
    with pytest.raises((FreezeError, PageOptionError), match=message):
        app.freeze(workers=1)


def test_a_build_stores_every_page_and_leaves_out_what_is_gone(tmp_path: Path) -> None:
    files = {
        **STATIC,
        "src/pages/old/[slug]/page.py": """
            SSG = True
            def get_static_paths():
                return [{"slug": "a"}, {"slug": "b"}]
            def get(request):
                return request.params["slug"]
            """,
    }
    app = load_site(write_site(tmp_path, files))
    report, release = app.freeze(workers=1)
    assert report is not None
    assert release is not None
    with TestClient(load_site(tmp_path), base_url="http://localhost") as client:
        assert client.get("/old/b").text == "b"
        assert client.get("/old/b").headers["x-asok-ssg-cache"] == "HIT"


def test_flashed_messages_are_shown_once(open_site: Open) -> None:
    client = open_site(
        {
            "src/pages/page.html": "{% for kind, text in get_flashed_messages() %}"
            "{{ kind }}:{{ text }};{% endfor %}",
            "src/pages/say/page.py": """
                def get(request):
                    request.flash("one")
                    request.flash("<two>", "error")
                    return request.redirect("/")
                """,
        }
    )
    assert client.get("/say").status_code == 303
    assert client.get("/").text == "info:one;error:&lt;two&gt;;"
    assert client.get("/").text == ""


def test_an_error_page_that_fails_itself_hides_nothing(
    open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_site(
        {
            "src/pages/500/page.py": "def get(request):\n    raise KeyError('the page itself')",
            "src/pages/a/page.py": "def get(request):\n    raise ValueError('the first error')",
        }
    )
    with caplog.at_level(logging.ERROR):
        answer = client.get("/a")
    assert answer.status_code == 500
    assert "Internal Server Error" in answer.text
    assert "the first error" in caplog.text
    assert "the page itself" in caplog.text


def test_a_worker_that_can_not_start_says_why() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def leave() -> None: ...

    def start() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        asyncio.run(Lifespan(start, lambda: None, leave)({}, receive, send))
    assert sent == [{"type": "lifespan.startup.failed", "message": "no disk"}]


def test_a_failing_build_names_the_line_of_the_users_own_code(open_site: Open) -> None:
    client = open_site(
        {
            "src/pages/a/page.py": "SSG = True\ndef get(request):\n    return 1 / 0",
            "src/pages/page.html": "home",
        }
    )
    app: Any = client.app
    with pytest.raises(FreezeError) as caught:
        app.freeze()
    assert caught.value.file is not None
    assert caught.value.file.name == "page.py"
    assert caught.value.line == 3
    assert "ZeroDivisionError" in str(caught.value)
