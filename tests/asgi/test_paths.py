"""One address for each page: Unicode, slashes, encodings, mounts, on requests from end to end."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from tests.site import load_site, serve, write_site

from asok import Asok

from .conftest import Open
from .raw import ask

SITE = {
    "src/pages/page.py": "SSG = True\ndef get(request):\n    return 'home'",
    "src/pages/caf\u00e9/page.py": "SSG = True\ndef get(request):\n    return request.path",
    "src/pages/blog/[slug]/page.py": """
        SSG = True
        def get_static_paths():
            return [{"slug": "stra\u00dfe"}, {"slug": "v1.2"}]
        def get(request):
            return request.html("post.html", path=request.path)
        """,
    "src/pages/blog/[slug]/post.html": (
        "<a href=\"{{ url('/blog/[slug]', slug='stra\u00dfe') }}\">{{ path }}</a>"
        "<a href=\"{{ url('/') }}\"></a>"
    ),
    "src/pages/moved/page.py": "SSG = True\ndef get(request):\n"
    "    return request.redirect('/blog/v1.2', 301)",
    "src/pages/feed.xml/page.py": "def get(request):\n    return '<feed/>'",
    "src/pages/go/page.py": """
        CSRF = False
        def get(request):
            return request.redirect(request.args.get("to", "/caf%C3%A9?a=1#b"))
        def post(request):
            return request.back("/blog/v1.2")
        """,
    "src/pages/out/page.py": """
        def get(request):
            return request.redirect("https://example.org/x", external=True)
        """,
}


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, SITE))


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


def entries(app: Asok) -> set[str]:
    return set(app.store.paths())


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/caf%C3%A9", 200, None),
        ("/caf%c3%a9", 200, None),
        ("/%63af%C3%A9", 200, None),
        ("/caf%C3%A9/", 308, "/caf%C3%A9"),
        ("/cafe%CC%81", 308, "/caf%C3%A9"),
        ("/cafe%CC%81/?a=%2F", 308, "/caf%C3%A9?a=%2F"),
        ("/CAF%C3%89", 404, None),
        ("/caf%C3%A9/index", 404, None),
        ("/index", 404, None),
        ("/index.html", 404, None),
        ("/caf%C3%A9.html", 404, None),
        ("/caf%C3%A9;a.css", 404, None),
        ("/caf%C3%A9/x.css", 404, None),
        ("/caf%C3%A9%2fx.css", 404, None),
        ("/caf%C3%A9%00", 404, None),
        ("/caf%25C3%25A9", 404, None),
        ("/caf%E9", 404, None),
        ("/caf%E9/", 404, None),
        ("//caf%C3%A9", 404, None),
        ("/caf%C3%A9//", 404, None),
        ("/./caf%C3%A9", 404, None),
        ("/%2e/caf%C3%A9", 404, None),
        ("/x/..%2fcaf%C3%A9", 404, None),
        ("/blog/v1.2", 200, None),
        ("/blog%2Fv1.2", 404, None),
        ("/blog%2fv1.2", 404, None),
        ("/blog/v1%252e2", 404, None),
        ("/blog/%E2%84%AA", 308, "/blog/K"),
        ("/blog/v1.2%5c", 404, None),
        ("/blog/v1.2%00", 404, None),
        ("/blog/v1.2%0a", 404, None),
        ("/blog/v1.2%C2%85", 404, None),
        ("/blog/" + "x" * 255, 200, None),
        ("/blog/" + "x" * 256, 404, None),
        ("/blog/" + "x" * 300, 404, None),
        ("/blog/" + "%C3%A9" * 128, 404, None),
        ("/blog/" + "/x" * 1100, 404, None),
        ("/blog/%ED%A0%80", 404, None),
        ("/blog/..", 404, None),
        ("/blog/%2e%2e", 404, None),
        ("/blog/%252e%252e%252fx", 404, None),
        ("/blog/..%5c..%5cx", 404, None),
        ("/static%2fx.css", 404, None),
        ("/asok%2flive", 404, None),
    ],
)
def test_every_form_of_an_address_is_one_page_or_none(
    app: Asok, path: str, status: int, location: str | None
) -> None:
    for known in ("/caf%C3%A9", "/blog/v1.2", "/blog/stra%C3%9Fe"):
        assert ask(app, known).status == 200
    before = entries(app)
    for _ in range(2):
        answer = ask(app, path)
        assert (answer.status, answer.headers.get("location")) == (status, location)
        assert "cache-status" in answer.headers or path.startswith("/static")
        if status == 404:
            assert answer.headers["cache-control"] == "no-store"
    own = {f"/blog/{'x' * 255}"} if path.endswith("x" * 255) and status == 200 else set()
    assert entries(app) == before | own


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_real_server_passes_addresses_on_as_they_came(tmp_path: Path, http: str) -> None:
    with serve(write_site(tmp_path, SITE), "--http", http) as url:
        connection = HTTPConnection(url.removeprefix("http://"), timeout=20)
        for path, status in {
            "/caf%C3%A9?a=%2F": 200,
            "/caf%c3%a9": 200,
            "/cafe%CC%81": 308,
            "/caf%25C3%25A9": 404,
            "/blog/v1.2": 200,
            "/blog%2Fv1.2": 404,
            "/blog%2fv1.2": 404,
            "/blog/v1%252e2": 404,
            "/blog/%2e%2e": 404,
            "/blog/x%00": 404,
            "//blog/v1.2": 404,
            "/blog/%FF": 404,
        }.items():
            for _ in range(2):
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == status, path
        connection.close()


def test_a_site_may_end_its_addresses_with_a_slash(tmp_path: Path) -> None:
    root = write_site(tmp_path, SITE)
    known: dict[str, Any] = {"trailing_slash": "always", "base_url": "http://localhost"}
    built = load_site(root, **known)
    report, _ = built.freeze()
    paths = {page.path for page in report.pages}
    assert paths == {"/", "/caf\u00e9/", "/blog/stra\u00dfe/", "/blog/v1.2/", "/moved/"}
    app = load_site(root, **known)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        for path in ("/", "/caf%C3%A9/", "/blog/v1.2/"):
            for _ in range(2):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["x-asok-ssg-cache"]) == (200, "HIT")
        assert 'href="/blog/stra%C3%9Fe/"' in client.get("/blog/v1.2/").text
        for path, target in {
            "/caf%C3%A9?a=1": "/caf%C3%A9/?a=1",
            "/cafe%CC%81": "/caf%C3%A9/",
            "/blog/v1.2": "/blog/v1.2/",
            "/feed.xml/": "/feed.xml",
        }.items():
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (308, target)
        assert client.get("/feed.xml").status_code == 200
    for path in ("/caf%C3%A9//", "/nowhere/", "//", "/blog/v1.2//"):
        assert ask(app, path).status == 404


def mounted(app: Asok) -> TestClient:
    outer = Starlette(routes=[Mount("/site", app=app)])
    return TestClient(outer, base_url="http://localhost", follow_redirects=False)


def direct(app: Asok) -> TestClient:
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


@pytest.mark.parametrize("reach", [mounted, direct])
def test_everything_of_a_site_below_a_path_stays_there(
    tmp_path: Path, reach: Callable[[Asok], TestClient]
) -> None:
    app = load_site(write_site(tmp_path, SITE), base_url="http://localhost/site")
    with reach(app) as client:
        for _ in range(2):
            assert client.get("/site/caf%C3%A9").text == "/caf\u00e9"
        assert client.get("/site/").text == "home"
        text = client.get("/site/blog/v1.2").text
        assert 'href="/site/blog/stra%C3%9Fe"' in text
        assert 'href="/site/"' in text
        for path, target in {
            "/site/caf%C3%A9/?a=1": "/site/caf%C3%A9?a=1",
            "/site/go": "/site/caf%C3%A9?a=1#b",
            "/site/go?to=%3Fa": "?a",
            "/site/moved": "/site/blog/v1.2",
            "/site/out": "https://example.org/x",
        }.items():
            assert client.get(path).headers["location"] == target, path
        for referer, target in {
            "http://localhost/site/caf%C3%A9?a=1": "/site/caf%C3%A9?a=1",
            "http://localhost/site": "/site/",
            "http://localhost/sitemap": "/site/blog/v1.2",
            "http://localhost/other": "/site/blog/v1.2",
            "https://evil.example/site/": "/site/blog/v1.2",
        }.items():
            answer = client.post("/site/go", headers={"referer": referer})
            assert answer.headers["location"] == target, referer
        assert client.get("/site/nowhere").status_code == 404


def test_a_proxy_may_take_the_path_away(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), base_url="http://localhost/site")
    with direct(app) as client:
        assert client.get("/caf%C3%A9").text == "/caf\u00e9"
        assert client.get("/caf%C3%A9/").headers["location"] == "/site/caf%C3%A9"
        assert client.get("/go").headers["location"] == "/site/caf%C3%A9?a=1#b"


def test_a_mount_that_no_setting_names_is_known_to_requests(app: Asok) -> None:
    with mounted(app) as client:
        assert client.get("/site/go").headers["location"] == "/site/caf%C3%A9?a=1#b"
        assert client.get("/site/caf%C3%A9/").headers["location"] == "/site/caf%C3%A9"


def test_two_sites_of_one_host_have_cookies_of_their_own(tmp_path: Path) -> None:
    page = {"src/pages/page.py": "def get(request):\n    return request.csrf_token"}
    names: list[str] = []
    for path in ("", "/one", "/two/a b"):
        root = write_site(tmp_path / path.replace("/", "-"), page)
        app = load_site(root, base_url=f"https://localhost{path}")
        with TestClient(app, base_url="https://localhost") as client:
            cookie = client.get("/").headers["set-cookie"]
        assert "; Path=/; " in cookie
        names.append(cookie.partition("=")[0])
    assert names == ["__Host-asok", "__Host-asok.one", "__Host-asok.two-a-b"]
