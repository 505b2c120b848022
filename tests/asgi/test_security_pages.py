"""Nothing that a client sends changes what others get of a static page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok

from .conftest import Open
from .raw import Answer, ask

SITE = {
    "src/pages/page.py": "SSG = True\nREVALIDATE = 3600",
    "src/pages/page.html": "<h1>Home</h1>" + "<p>word</p>" * 200,
    "src/pages/about/page.py": "SSG = True",
    "src/pages/about/page.html": "<h1>About</h1>",
    "src/pages/doc/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return []
        def get(request):
            return "<p>[" + request.params["slug"] + "]</p>" + "<i>word</i>" * 200
        """,
    "src/pages/form/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return []
        def get(request):
            answer = request.html("form.html", slug=request.params["slug"])
            answer.headers["cache-control"] = "public, s-maxage=600"
            return answer
        """,
    "src/pages/form/[slug]/form.html": "{{ slug }}<script>1</script><form method=post></form>",
    "src/pages/now/page.py": """
        def get(request):
            return "<p>made for you</p>"
        """,
    "src/pages/enter/page.py": """
        def get(request):
            return request.csrf_token
        def post(request):
            request.session.login(user=request.form["name"])
            return request.csrf_token
        """,
    "src/pages/admin/page.py": """
        SSG = True
        def guard(request):
            return None if request.session.get("user") else ("no", 403)
        GUARDS = (guard,)
        def get(request):
            return "<p>for admins</p>"
        """,
    "src/pages/cookie/[slug]/page.py": """
        SSG = True
        def get_static_paths():
            return []
        def get(request):
            return request.cookies.get("name", "nobody")
        """,
    "src/pages/vary/[how]/page.py": """
        SSG = True
        def get_static_paths():
            return []
        def get(request):
            how = request.params["how"]
            answer = request.html("vary.html", how=how)
            if how == "star":
                answer.headers["vary"] = "*"
            if how == "cookie":
                answer.set_cookie("a", "b")
            if how == "away":
                return request.redirect("/about")
            if how == "broken":
                answer.status_code = 500
            return answer
        """,
    "src/pages/vary/[how]/vary.html": "<p>{{ how }}</p>",
}

#: Headers by which frameworks, proxies and browsers ask for something else than the page.
SIGNALS = {
    "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware",
    "x-middleware-prefetch": "1",
    "x-middleware-rewrite": "/admin",
    "x-middleware-set-cookie": "asok=evil",
    "x-nextjs-data": "1",
    "x-nextjs-cache": "HIT",
    "x-nextjs-html-request-id": "evil",
    "x-now-route-matches": "1=evil",
    "x-matched-path": "/admin",
    "x-invoke-path": "/admin",
    "x-invoke-status": "500",
    "x-invoke-error": '{"message": "evil"}',
    "x-prerender-revalidate": "evil",
    "x-prerender-bypass": "1",
    "purpose": "prefetch",
    "sec-purpose": "prefetch;prerender",
    "rsc": "1",
    "next-action": "a" * 40,
    "next-router-state-tree": "%5B%22%22%5D",
    "next-router-prefetch": "1",
    "next-url": "/admin",
    "x-sveltekit-action": "true",
    "x-sveltekit-invalidated": "1",
    "x-astro-path": "/admin",
    "x-astro-locals": '{"admin": true}',
    "x-inertia": "true",
    "x-livewire": "1",
    "hx-request": "true",
    "turbo-frame": "main",
    "x-requested-with": "XMLHttpRequest",
    "x-asok-state": "{}",
    "x-asok-draft": "1",
    "x-asok-fragment": "1",
    "x-asok-ssg-cache": "MISS",
    "x-asok-params": '{"slug": "evil"}',
    "x-csrf-token": "evil",
    "x-original-url": "/admin",
    "x-rewrite-url": "/admin",
    "x-original-uri": "/admin",
    "x-forwarded-uri": "/admin",
    "x-forwarded-path": "/admin",
    "x-forwarded-prefix": "/evil",
    "x-forwarded-host": "evil.example",
    "x-forwarded-server": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "1",
    "x-forwarded-for": "evil",
    "x-host": "evil.example",
    "forwarded": "host=evil.example;proto=https",
    "x-http-method-override": "DELETE",
    "x-http-method": "DELETE",
    "x-method-override": "DELETE",
    "x-wp-nonce": "evil",
    "cache-control": "no-cache, no-store, max-age=0",
    "pragma": "no-cache",
    "cookie": "draft=1; __prerender_bypass=1; __next_preview_data=1; asok_draft=1; asok=evil",
    "authorization": "Bearer evil",
    "accept-language": "de",
    "user-agent": "evil",
    "origin": "https://evil.example",
    "referer": "https://evil.example/",
    "content-type": "multipart/form-data",
    "accept": "text/x-component, application/json",
    "te": "trailers",
    "upgrade-insecure-requests": "1",
    "x-empty": "",
}

#: Query strings by which other frameworks ask for data, drafts, parts and other pages.
QUERIES = [
    "__nextDataReq=1", "_rsc=1", "_data=routes", "__flight__=1", "__NEXT_INIT_QUERY=1",
    "x-vercel-protection-bypass=1", "__prerender=1", "preview=true", "draft=1", "asok_draft=1",
    "slug=evil", "params[slug]=evil", "path=/admin", "_method=DELETE", "/x.json", "utm_source=a",
    "revalidate=1", "%00", "%ff", "&&&", "=", "a=1&a=2", "q=" + "x" * 4000, "nxtPslug=evil",
    "_escaped_fragment_=", "component=Counter", "island=1", "__cache=0",
]  # fmt: skip

#: What tells the answers of one page apart without meaning anything.
VARYING = {"date", "cache-status", "x-asok-ssg-cache", "cache-control"}


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, SITE))


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


def stored(app: Asok) -> dict[str, bytes]:
    """Every body that is stored, by its file's name."""
    files = [file for file in app.store_folder.rglob("*.html") if file.is_file()]
    return {str(file.relative_to(app.store_folder)): file.read_bytes() for file in files}


def plain(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    kept = {name: value for name, value in answer.headers.items() if name not in VARYING}
    return answer.status, answer.body, kept


def enter(client: TestClient) -> None:
    token = client.get("/enter").text
    assert client.post("/enter", data={"name": "ada", "csrf_token": token}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/about", "/doc/a"])
def test_no_header_changes_a_static_page(app: Asok, path: str) -> None:
    first = ask(app, path)
    assert first.status == 200
    before = stored(app)
    for name, value in SIGNALS.items():
        for method in ("GET", "HEAD"):
            answer = ask(app, path, method=method, headers={name: value})
            expected = plain(first) if method == "GET" else (200, b"", plain(first)[2])
            assert plain(answer) == expected, name
            assert answer.headers["x-asok-ssg-cache"] == "HIT", name
            assert answer.headers["cache-control"].startswith("public"), name
    assert stored(app) == before


def test_no_header_gets_into_a_page_that_it_makes(app: Asok) -> None:
    clean = ask(app, "/doc/a")
    for number, (name, value) in enumerate(SIGNALS.items()):
        made = ask(app, f"/doc/a{number}", headers={name: value})
        assert made.headers["x-asok-ssg-cache"] == "MISS", name
        assert made.text == clean.text.replace("[a]", f"[a{number}]"), name
    assert b"evil" not in b"".join(stored(app).values())


@pytest.mark.parametrize("path", ["/", "/doc/a"])
def test_no_query_changes_a_static_page(app: Asok, path: str) -> None:
    first = ask(app, path)
    before = stored(app)
    for query in QUERIES:
        answer = ask(app, f"{path}?{query}")
        assert plain(answer) == plain(first), query
    assert stored(app) == before


def test_signals_leave_a_page_made_per_request_as_it_is_and_private(app: Asok) -> None:
    first = ask(app, "/now")
    for name, value in SIGNALS.items():
        answer = ask(app, "/now", headers={name: value})
        assert (answer.status, answer.body) == (200, first.body), name
        assert answer.headers["cache-control"].startswith("private"), name
    for query in QUERIES:
        answer = ask(app, f"/now?{query}")
        assert (answer.status, answer.body) == (200, first.body), query
        assert answer.headers["cache-control"].startswith("private"), query
    assert stored(app) == {}


def test_no_signal_opens_a_guarded_page(app: Asok) -> None:
    for name, value in SIGNALS.items():
        answer = ask(app, "/admin", headers={name: value})
        assert (answer.status, answer.headers["cache-control"]) == (403, "no-store"), name
        assert "for admins" not in answer.text


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"range": "bytes=0-3"}),
        ("GET", {"if-range": '"x"', "range": "bytes=1-"}),
        ("GET", {"if-none-match": "*"}),
        ("GET", {"if-none-match": '"x", W/"y"'}),
        ("GET", {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        ("GET", {"if-match": '"x"'}),
        ("GET", {"expect": "100-continue"}),
        ("GET", {"accept-encoding": "br;q=0, *;q=0"}),
        ("OPTIONS", {}),
    ],
)
def test_whoever_asks_first_leaves_the_whole_page(
    app: Asok, method: str, headers: dict[str, str]
) -> None:
    ask(app, "/doc/a", method=method, headers=headers)
    answer = ask(app, "/doc/a")
    assert answer.status == 200
    assert answer.text.startswith("<p>[a]</p>")
    assert answer.text.count("<i>word</i>") == 200
    assert answer.headers["content-length"] == str(len(answer.body))


def test_a_missing_header_and_an_empty_one_are_the_same(app: Asok) -> None:
    first = ask(app, "/doc/a")
    for name in ("accept-encoding", "cookie", "if-none-match", "accept", "range", "origin"):
        assert plain(ask(app, "/doc/a", headers={name: ""})) == plain(first), name


#: Pairs and groups of addresses that some file system, proxy or router takes for one.
ALIKE = [
    ["k-", "k45", "k%2D", "k%2d"],
    ["K", "k", "%E2%84%AA"],  # U+212A, the Kelvin sign
    ["caf%C3%A9", "cafe%CC%81", "CAF%C3%89"],
    ["a", "A", "a.html", "a.json", "a.br", "a%20", "%20a", "a.", "a%2E"],
    ["index", "index.html", "page", "%5Bslug%5D"],
    ["a%2Fb", "a%252Fb", "a%5Cb", "a%5cb"],
    ["x" * 255, "x" * 256, "x" * 300, "%C3%A9" * 128],
    ["a%00", "a%01", "a%7F", "a%0D%0A", "a%E2%80%AE", "a%EF%BB%BF", "%FF", "%ED%A0%80"],
    ["con", "CON", "nul", "aux.html", "...", "%2e%2e%2e", "~root", "-rf", "$(id)", "a;b", "a:b"],
    ["%u0061", "%", "%2", "%zz", "a%26b", "a&b", "a+b", "a%2Bb", "a%20b"],
    ["null", "None", "undefined", "__proto__", "constructor"],
]


@pytest.mark.parametrize("slugs", ALIKE, ids=lambda slugs: slugs[0][:12])
def test_addresses_that_look_alike_are_pages_of_their_own_or_none(
    app: Asok, slugs: list[str]
) -> None:
    for slug in slugs:
        ask(app, f"/doc/{slug}")
    found: dict[str, str] = {}
    for slug in slugs:
        answer = ask(app, f"/doc/{slug}")
        assert answer.status in (200, 308, 400, 404), slug
        if answer.status == 200:
            found[slug] = answer.text.partition("]</p>")[0].removeprefix("<p>[")
            assert found[slug] == unquote(slug)
            assert answer.headers["x-asok-ssg-cache"] == "HIT", slug
    assert len(stored(app)) == len(set(found.values()))


@pytest.mark.parametrize(
    "target",
    [
        "/index", "/index.html", "/page", "/about.html", "/about/index", "/about/index.html",
        "/about;a.css", "/about/x.css", "/about%2fx.css", "/about.css", "/about%00.css",
        "/ABOUT", "/About", "//about", "/./about", "/x/../about", "/about/.", "/%2fabout",
        "/about%20", "/about%0a", "/about%3fx", "/about%23x", "/\\about", "/about\\", "/about/%2e",
        "/.asok/ssg_cache", "/src/pages/about/page.py", "/wsgi.py", "/.env", "/about/page.html",
    ],
)  # fmt: skip
def test_another_form_of_an_address_is_no_page(app: Asok, target: str) -> None:
    ask(app, "/about")
    before = stored(app)
    for query in ("", "?/x.json"):
        answer = ask(app, target + query)
        assert answer.status in (400, 404), target
        assert answer.headers["cache-control"] == "no-store"
        assert b"<h1>About" not in answer.body
    assert stored(app) == before


@pytest.mark.parametrize(
    "target",
    [
        "/%61dmin", "/%2561dmin", "/admin/", "/admin%2f", "/doc/..%2fadmin", "/doc/%2e%2e/admin",
        "/doc/..;/admin", "//admin", "/./admin", "/admin/.", "/admin%00", "/admin?x", "/ADMIN",
        "/admin.html", "/%2fadmin", "/doc/../admin", "/\\admin", "/admin%20", "/%C0%AFadmin",
    ],
)  # fmt: skip
def test_guard_router_and_store_see_one_path(app: Asok, target: str) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        enter(client)
        assert client.get("/admin").text == "<p>for admins</p>"  # it is stored now
    answer = ask(app, target)
    assert answer.status in (308, 400, 403, 404)
    assert "for admins" not in answer.text
    if answer.status == 308:
        assert answer.headers["location"] == "/admin"


def test_a_page_with_a_visitors_value_is_private_whatever_it_says(client: TestClient) -> None:
    for expected in ("MISS", "HIT"):
        answer = client.get("/form/a")
        assert answer.headers["x-asok-ssg-cache"] == expected
        assert "nonce=" in answer.text
        assert answer.headers["cache-control"].startswith("private")
        assert "public" not in answer.headers["cache-control"]
        assert "maxage" not in answer.headers["cache-control"]


def test_a_session_leaves_no_trace_on_a_public_page(client: TestClient) -> None:
    enter(client)
    for path in ("/doc/a", "/doc/a", "/about"):
        answer = client.get(path)
        again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        for one in (answer, again, client.head(path)):
            assert "set-cookie" not in one.headers
            assert one.headers["cache-control"].startswith("public")
            assert "cookie" not in one.headers.get("vary", "").lower()


def test_a_page_that_reads_the_visitor_fails_for_everybody(
    app: Asok, caplog: pytest.LogCaptureFixture
) -> None:
    for headers in ({"cookie": "name=eve"}, {}):
        answer = ask(app, "/cookie/a", headers=headers)
        assert answer.status == 500
        assert "eve" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert "request.cookies" in caplog.text
    assert stored(app) == {}


@pytest.mark.parametrize(
    ("how", "status"), [("star", 200), ("cookie", 200), ("away", 303), ("broken", 500)]
)
def test_what_fits_one_request_only_is_never_stored(app: Asok, how: str, status: int) -> None:
    for _ in range(2):
        answer = ask(app, f"/vary/{how}")
        assert answer.status == status
        assert answer.headers["x-asok-ssg-cache"] == "MISS"
        assert "public" not in answer.headers.get("cache-control", "")
        assert "s-maxage" not in answer.headers.get("cache-control", "")
    assert stored(app) == {}


def test_a_body_over_the_limit_is_refused_before_it_is_read(app: Asok) -> None:
    limit = app.settings.max_content_length
    token = {"origin": "http://localhost", "content-type": "application/octet-stream"}
    told = ask(app, "/enter", method="POST", headers={**token, "content-length": str(50 * limit)})
    assert (told.status, told.received) == (413, 0)
    piece = b"x" * 65_536
    count = limit // len(piece) * 2 + 10
    chunked = ask(
        app,
        "/enter",
        method="POST",
        headers={**token, "transfer-encoding": "chunked"},
        body=(piece for _ in range(count)),
    )
    assert chunked.status == 413
    assert chunked.received <= limit // len(piece) + 2


def test_a_body_for_a_static_page_is_not_read(app: Asok) -> None:
    first = ask(app, "/about")
    answer = ask(app, "/about", headers={"content-length": "1000000000"}, body=[b"x"] * 10)
    assert plain(answer) == plain(first)
    assert answer.received == 0
    for method in ("POST", "PUT", "DELETE", "PATCH", "QUERY", "TRACE", "PURGE", "BAN", "get"):
        refused = ask(app, "/about", method=method)
        assert refused.status == 405, method
        assert "GET" in refused.headers["allow"]
    assert plain(ask(app, "/about")) == plain(first)
