"""Middleware of a page: it runs at every hit, in its order, around guards and handler."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok.errors import PageOptionError

from .conftest import Open

SITE = {
    "src/pages/static/page.py": """
        import itertools
        SSG = True
        REVALIDATE = 3600
        QUERY = ("page",)
        calls = itertools.count(1)

        def outer(request, call_next):
            response = call_next(request)
            response.headers["x-order"] = "outer " + response.headers["x-order"]
            response.headers["x-calls"] = str(next(calls))
            return response

        async def inner(request, call_next):
            response = await call_next(request)
            response.headers["x-order"] = "inner"
            return response

        def guard(request):
            return ("no", 403) if request.cookies.get("bad") else None

        MIDDLEWARE = [outer, inner]
        GUARDS = (guard,)
        renders = itertools.count(1)

        def get(request):
            return f"render {next(renders)} {request.args.get('page')}"
        """,
    "src/pages/open/page.py": """
        SSG = True
        async def add(request, call_next):
            response = await call_next(request)
            response.headers["x-seen"] = request.path
            return response
        MIDDLEWARE = (add,)
        def get(request):
            return "<p>open</p>" * 200
        """,
    "src/pages/open/form/page.py": """
        SSG = True
        MIDDLEWARE = (lambda request, call_next: call_next(request),)
        def get(request):
            return request.html("form.html")
        """,
    "src/pages/open/form/form.html": "<form method='post'></form>",
    "src/pages/dynamic/page.py": """
        CSRF = False
        def shout(request, call_next):
            if request.args.get("stop"):
                return "stopped", 418
            if request.args.get("none"):
                return None
            request.state["who"] = "middleware"
            try:
                return call_next(request)
            except ZeroDivisionError:
                return "caught", 500
        class Counting:
            async def __call__(self, request, call_next):
                response = await call_next(request)
                response.headers["x-counted"] = "1"
                return response
        MIDDLEWARE = (shout, Counting())
        def get(request):
            if request.args.get("fail"):
                1 / 0
            if request.args.get("abort"):
                request.abort(410)
            return {"who": request.state["who"]}
        def post(request):
            return {"name": request.form["name"], "who": request.state["who"]}
        """,
    "src/pages/later/page.py": """
        def later(request, call_next):
            async def go():
                return "later"
            return go()
        MIDDLEWARE = (later,)
        def get(request):
            return "never"
        """,
}


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


@pytest.mark.parametrize("debug", [True, False])
def test_middleware_runs_at_every_hit_of_a_static_page(open_site: Open, debug: bool) -> None:
    client = open_site(SITE, debug=debug)
    for url in ("/static", "/static?page=2"):
        seen: list[str] = []
        bodies: set[str] = set()
        for _ in range(3):
            answer = client.get(url)
            assert answer.headers["x-order"] == "outer inner"
            assert answer.headers["cache-control"] == "private, no-store"
            assert "etag" not in answer.headers
            seen.append(answer.headers["x-calls"])
            bodies.add(answer.text)
        assert len(set(seen)) == 3
        assert len(bodies) == (3 if debug else 1)
        assert client.head(url).headers["x-order"] == "outer inner"
        refused = client.get(url, headers={"cookie": "bad=1"})
        assert (refused.status_code, refused.headers["x-order"]) == (403, "outer inner")
        assert refused.headers["cache-status"] == "asok; fwd=bypass; detail=guard"


def test_what_passed_a_middleware_is_nobody_elses(client: TestClient) -> None:
    for _ in range(2):
        answer = client.get("/open", headers={"accept-encoding": "gzip", "if-none-match": "*"})
        assert answer.status_code == 200
        assert answer.headers["x-seen"] == "/open"
        assert answer.headers["cache-control"] == "private, no-store"
    assert client.get("/open").headers["x-asok-ssg-cache"] == "HIT"
    assert client.get("/open/form").headers["cache-control"] == "private, no-store"


def test_middleware_may_answer_itself_and_catch_what_fails(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/dynamic")
    assert answer.json() == {"who": "middleware"}
    assert answer.headers["x-counted"] == "1"
    assert client.get("/dynamic?stop=1").status_code == 418
    assert client.get("/dynamic?fail=1").text == "caught"
    assert client.get("/dynamic?abort=1").status_code == 410
    assert client.post("/dynamic", data={"name": "ada"}).json() == {
        "name": "ada",
        "who": "middleware",
    }
    assert client.get("/dynamic?none=1").status_code == 500
    assert "shout returned None" in caplog.text
    assert client.get("/later").text == "later"


def test_more_visitors_than_threads_are_answered(client: TestClient) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.append(client.get("/dynamic").status_code)

    threads = [threading.Thread(target=ask) for _ in range(90)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 90


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("MIDDLEWARE = 1", "MIDDLEWARE is 1, expected a tuple of functions of two arguments"),
        ("MIDDLEWARE = ('timing',)", "expected a tuple of functions"),
        ("MIDDLEWARE = (lambda request: None,)", "can't be called with two arguments"),
        ("def timing(): pass\nMIDDLEWARE = (timing,)", "the middleware timing can't be called"),
        ("MIDLEWARE = ()", "Did you mean MIDDLEWARE"),
    ],
)
def test_a_wrong_declaration_is_refused_at_start(
    tmp_path: Path, declared: str, message: str
) -> None:
    page = f"{declared}\ndef get(request):\n    return 'x'"
    root = write_site(tmp_path, {"src/pages/a/page.py": page})
    with pytest.raises(PageOptionError, match=message) as caught:
        load_site(root)
    assert caught.value.file == root / "src/pages/a/page.py"
    if "MIDL" not in declared:
        assert "MIDDLEWARE = (timing,)" in str(caught.value)
