"""`Cache-Status` on every answer, and first requests of every kind that leave a whole page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok

from .conftest import Open

SITE = {
    "src/pages/page.py": "SSG = True\ndef get(request):\n    return '<p>home</p>' * 200",
    "src/pages/hour/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get(request):
            if request.params["slug"] == "gone":
                request.abort(404)
            if request.params["slug"] == "odd":
                return "odd", 202
            if request.params["slug"] == "fails":
                1 / 0
            return "<p>body</p>" * 200
        """,
    "src/pages/form/page.py": "SSG = True\ndef get(request):\n    return request.html('f.html')",
    "src/pages/form/f.html": "<form method='post'></form><script>1</script>",
    "src/pages/listed/[slug]/page.py": """
        SSG = True
        FALLBACK = "404"
        def get_static_paths():
            return [{"slug": "a"}]
        def get(request):
            return "a"
        """,
    "src/pages/live/page.py": """
        CSRF = False
        def get(request):
            return "x"
        def post(request):
            return "y"
        """,
}
#: RFC 9211: a cache's name, then parameters that are tokens, strings, integers or bare.
FORM = re.compile(r'asok(; (hit|stored|fwd=[a-z-]+|ttl=-?\d+|detail=([a-z]+|"[^"]*")))+')


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


def status(client: TestClient, path: str, method: str = "GET", **headers: str) -> str:
    answer = client.request(method, path, headers=headers)
    found = answer.headers["cache-status"]
    assert FORM.fullmatch(found), found
    return found


def test_every_answer_says_where_it_comes_from(client: TestClient) -> None:
    assert status(client, "/") == "asok; fwd=miss; stored"
    assert status(client, "/") == "asok; hit"
    assert status(client, "/hour/a") == "asok; fwd=miss; stored"
    assert re.fullmatch(r"asok; hit; ttl=3\d{3}", status(client, "/hour/a"))
    assert status(client, "/form") == "asok; fwd=miss; stored"
    assert status(client, "/form", "HEAD") == "asok; hit"
    assert status(client, "/hour/gone") == "asok; fwd=miss"
    assert status(client, "/hour/gone") == "asok; hit; detail=gone"
    assert status(client, "/hour/odd") == "asok; fwd=miss"
    assert status(client, "/hour/fails") == "asok; fwd=bypass; detail=error"
    assert status(client, "/live") == "asok; fwd=bypass; detail=dynamic"
    assert status(client, "/live", "POST") == "asok; fwd=method"
    assert status(client, "/live", "DELETE") == "asok; fwd=bypass; detail=error"
    assert status(client, "/live", "OPTIONS") == "asok; fwd=method"
    assert status(client, "/nowhere") == "asok; fwd=bypass; detail=error"
    assert status(client, "/live/") == "asok; fwd=bypass; detail=dynamic"
    assert status(client, "/", host="a b") == "asok; fwd=bypass; detail=host"
    assert status(client, "/asok/live") == "asok; fwd=bypass; detail=dynamic"


def test_a_page_that_is_not_listed_is_passed_by(tmp_path: Path) -> None:
    files = {name: text for name, text in SITE.items() if "hour" not in name}
    root = write_site(tmp_path, files)
    load_site(root).freeze()
    with TestClient(load_site(root), base_url="http://localhost") as client:
        assert status(client, "/listed/a") == "asok; hit"
        assert status(client, "/listed/b") == "asok; fwd=bypass; detail=unlisted"


def test_a_stale_page_says_so(tmp_path: Path) -> None:
    app: Asok = load_site(write_site(tmp_path, SITE))
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/hour/a")
        app.revalidate_path("/hour/a")
        answer = client.get("/hour/a")
        assert answer.headers["x-asok-ssg-cache"] == "STALE"
        assert re.fullmatch(r"asok; hit; ttl=-?\d+; detail=stale", answer.headers["cache-status"])
        assert "s-maxage=1," in answer.headers["cache-control"]


def test_development_keeps_nothing(open_site: Open) -> None:
    client = open_site(SITE, debug=True)
    for _ in range(2):
        assert status(client, "/") == "asok; fwd=bypass; detail=development"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"range": "bytes=0-3"}),
        ("GET", {"if-none-match": '"x"'}),
        ("GET", {"if-none-match": "*"}),
        ("GET", {"if-modified-since": "Wed, 01 Jan 2098 00:00:00 GMT"}),
        ("HEAD", {"if-none-match": "*", "accept-encoding": "gzip"}),
        ("GET", {"if-match": '"y"'}),
        ("GET", {"accept-encoding": "br;q=0, identity;q=0"}),
    ],
)
def test_the_first_request_leaves_a_whole_page_whatever_it_asks(
    client: TestClient, method: str, headers: dict[str, str]
) -> None:
    for path in ("/", "/hour/a", "/form"):
        first = client.request(method, path, headers=headers)
        assert first.status_code in (200, 304)
        whole = client.get(path, headers={"accept-encoding": "identity"})
        assert whole.status_code == 200
        assert whole.headers["x-asok-ssg-cache"] == "HIT"
        assert int(whole.headers["content-length"]) == len(whole.content) > 40
        assert "content-range" not in whole.headers
        head = client.head(path, headers={"accept-encoding": "identity"})
        assert head.content == b""
        varying = {"set-cookie", "content-security-policy"}
        for name in head.headers.keys() | whole.headers.keys() - varying:
            if name not in varying:
                assert head.headers[name] == whole.headers[name], name
