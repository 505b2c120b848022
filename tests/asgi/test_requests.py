"""Requests from end to end: methods, bodies, CSRF, sessions, errors, redirects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok

SITE = {
    "src/pages/page.html": "<h1>Home</h1><form method=post action=/echo><button>x</button></form>",
    "src/pages/echo/page.py": """
        def get(request):
            return {
                "method": request.method, "path": request.path, "args": dict(request.args),
                "host": request.host, "scheme": request.scheme, "ip": request.ip,
                "cookies": sorted(request.cookies), "url": str(request.url),
                "agent": request.headers["user-agent"], "user": request.user,
                "same": request.query_params == request.args and request.client == request.ip,
            }
        def post(request):
            return {"form": dict(request.form), "files": [
                (name, file.filename, file.size, file.content_type, file.read().decode())
                for name, file in request.files.items()]}
        def put(request):
            return {"json": request.json_body, "raw": len(request.body)}
        """,
    "src/pages/any/page.py": "def render(request):\n    return request.method",
    "src/pages/async/page.py": """
        async def get(request):
            return request.html("hello.html", name=request.args.get("name", "you"))
        def post(request):
            return later(request)
        async def later(request):
            return "later"
        """,
    "src/pages/async/hello.html": "<p>{{ name }}</p><script>1</script>",
    "src/pages/stream/page.py": """
        def get(request):
            for part in ("<p>", "a", "</p>"):
                yield part
        """,
    "src/pages/item/[id:int]/page.py": """
        def get(request):
            return {"id": request.params["id"] + 1}
        """,
    "src/pages/files/[...path]/page.py": """
        def get(request):
            return request.send_file(request.params["path"])
        """,
    "src/pages/login/page.py": """
        def get(request):
            return {"user": request.session.get("user"), "token": request.csrf_token}
        def post(request):
            request.session.login(user=request.form["name"])
            return request.redirect("/login")
        def delete(request):
            request.session.logout()
            return "bye"
        """,
    "src/pages/hook/page.py": "CSRF = False\ndef post(request):\n    return 'hooked'",
    "src/pages/guarded/page.py": """
        SSG = True
        def guard(request):
            if request.session.get("user") is None:
                return request.redirect("/login")
            request.user = request.session["user"]
        GUARDS = (guard,)
        def get(request):
            return "for members"
        """,
    "src/pages/broken/page.py": "def get(request):\n    return 1 / 0",
    "src/pages/nothing/page.py": "def get(request):\n    pass",
    "src/pages/out/page.py": """
        def get(request):
            return request.redirect(request.args["to"])
        """,
    "src/pages/back/page.py": "def get(request):\n    return request.back('/any')",
    "src/pages/away/page.py": """
        def get(request):
            return request.redirect("https://example.org/x", external=True)
        """,
    "src/pages/abort/page.py": "def get(request):\n    request.abort(418, 'no coffee')",
    "src/pages/404/page.html": "<h1>Lost: {{ request.state.message }}</h1>",
    "files/public.txt": "public",
    ".env.local": "secret",
}


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, SITE), max_content_length=10_000)


@pytest.fixture
def client(app: Asok) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def token(client: TestClient) -> str:
    return client.get("/login").json()["token"]


def test_a_handler_sees_the_request(client: TestClient) -> None:
    seen = client.get("/echo?a=1&b=2").json()
    assert seen["args"] == {"a": "1", "b": "2"}
    assert seen["path"] == "/echo"
    assert seen["host"] == "localhost"
    assert seen["scheme"] == "http"
    assert seen["same"] is True
    assert seen["user"] is None


def test_methods_are_derived_and_others_refused(client: TestClient) -> None:
    assert client.head("/echo").status_code == 200
    assert client.head("/echo").content == b""
    options = client.options("/echo")
    assert options.status_code == 204
    assert options.headers["allow"] == "GET, HEAD, OPTIONS, POST, PUT"
    refused = client.request("DELETE", "/echo")
    assert refused.status_code == 405
    assert refused.headers["allow"] == options.headers["allow"]
    assert client.request("PROPFIND", "/any").status_code == 405
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, "/any", headers={"x-csrf-token": token(client)})
        assert answer.text == method


def test_async_handlers_and_streams(client: TestClient) -> None:
    answer = client.get("/async?name=<b>")
    assert "&lt;b&gt;" in answer.text
    nonce = re.search(r'nonce="([^"]+)"', answer.text)
    assert nonce is not None
    assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]
    header = {"x-csrf-token": token(client)}
    assert client.post("/async", headers=header).text == "later"
    assert client.get("/stream").text == "<p>a</p>"


def test_forms_files_and_json_are_read(client: TestClient) -> None:
    fields = {"name": "Ada", "csrf_token": token(client)}
    upload = {"photo": ("../x.png", b"data", "image/png")}
    answer = client.post("/echo", data=fields, files=upload).json()
    assert answer["form"]["name"] == "Ada"
    assert answer["files"] == [["photo", "x.png", 4, "image/png", "data"]]
    header = {"x-csrf-token": token(client)}
    assert client.put("/echo", json={"a": 1}, headers=header).json()["json"] == {"a": 1}
    for bad in (b"{", b"NaN", b"[" * 9000):
        assert client.put("/echo", content=bad, headers=header).status_code == 400


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    header = {"x-csrf-token": token(client)}
    assert client.put("/echo", content=b"x" * 10_001, headers=header).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1000

    answer = client.put("/echo", content=chunks(), headers=header)
    assert answer.status_code == 413
    bad = {**header, "content-length": "many"}
    assert client.put("/echo", content=b"", headers=bad).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"referer": "http://["},
    ],
)
def test_a_foreign_request_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    fields = {"csrf_token": token(client)}
    assert client.post("/echo", data=fields, headers=headers).status_code == 403


def test_a_request_without_a_valid_token_is_refused(app: Asok, client: TestClient) -> None:
    assert client.post("/echo").status_code == 403
    mine = token(client)
    with TestClient(app, base_url="http://localhost") as other:
        assert other.post("/echo", data={"csrf_token": mine}).status_code == 403
        other.cookies.set("asok", "A" * 43)
        assert other.post("/echo", data={"csrf_token": "A" * 86}).status_code == 403
    assert client.post("/hook").text == "hooked"


def test_login_rotates_the_session_and_its_tokens(client: TestClient) -> None:
    before = token(client)
    planted = client.cookies["asok"]
    answer = client.post("/login", data={"name": "ada", "csrf_token": before})
    assert answer.status_code == 303
    assert client.cookies["asok"] != planted
    assert client.get("/login").json()["user"] == "ada"
    assert client.post("/echo", data={"csrf_token": before}).status_code == 403
    header = {"x-csrf-token": token(client)}
    assert client.delete("/login", headers=header).text == "bye"
    assert client.get("/login").json()["user"] is None
    assert client.put("/echo", json=1, headers=header).status_code == 403


def test_cookies_are_host_only_over_https(app: Asok) -> None:
    with TestClient(app, base_url="https://localhost") as client:
        cookie = client.get("/login").headers["set-cookie"]
    assert cookie.startswith("__Host-asok=")
    assert cookie.endswith("Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure")


def test_a_guard_runs_before_a_stored_page(client: TestClient) -> None:
    assert client.get("/guarded").headers["location"] == "/login"
    client.post("/login", data={"name": "ada", "csrf_token": token(client)})
    for _ in range(2):
        answer = client.get("/guarded")
        assert answer.text == "for members"
        assert answer.headers["cache-control"] == "private, no-store"
    client.cookies.clear()
    assert client.get("/guarded").headers["location"] == "/login"


def test_errors_have_their_pages(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    lost = client.get("/nowhere")
    assert lost.status_code == 404
    assert "<h1>Lost: There is no page /nowhere.</h1>" in lost.text
    assert lost.headers["cache-control"] == "no-store"
    assert client.get("/nowhere", headers={"accept": "application/json"}).json() == {
        "status": 404,
        "error": "There is no page /nowhere.",
    }
    assert "no coffee" in client.get("/abort").text
    broken = client.get("/broken")
    assert broken.status_code == 500
    assert "ZeroDivisionError" not in broken.text
    assert "ZeroDivisionError" in caplog.text
    assert client.get("/nothing").status_code == 500
    assert "page.py: get returned None" in caplog.text
    assert "no return statement" in caplog.text


def test_errors_are_raised_while_developing(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), debug=True)
    with TestClient(app, base_url="http://localhost") as client, pytest.raises(ZeroDivisionError):
        client.get("/broken")


def test_typed_parameters_and_canonical_paths(client: TestClient) -> None:
    assert client.get("/item/41").json() == {"id": 42}
    assert client.get("/item/x").status_code == 404
    moved = client.get("/item/41/?a=1")
    assert moved.status_code == 308
    assert moved.headers["location"] == "/item/41?a=1"
    assert client.get("/item/%ff").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/files/.env.local",
        "/files/..%2f..%2fetc/passwd",
        "/files/nope",
        "/files/files",
        "/files/wsgi.py",
        "/files/src/pages/page.html",
    ],
)
def test_files_outside_or_hidden_are_not_sent(client: TestClient, path: str) -> None:
    assert client.get("/files/files/public.txt").text == "public"
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\tx", "javascript:1"]
)
def test_a_redirect_does_not_lead_away(client: TestClient, target: str) -> None:
    assert client.get("/out", params={"to": target}).status_code == 500
    assert client.get("/out?to=/any").headers["location"] == "/any"
    assert client.get("/away").headers["location"] == "https://example.org/x"


def test_back_leads_to_a_page_of_this_site(client: TestClient) -> None:
    def back(referer: str) -> str:
        return client.get("/back", headers={"referer": referer}).headers["location"]

    assert back("http://localhost/item/1?a=b") == "/item/1?a=b"
    assert back("https://evil.example/item/1") == "/any"
    assert client.get("/back").headers["location"] == "/any"


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/nowhere", "/guarded", "/echo"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "referrer-policy" in headers
    assert "script-src 'self'" in client.get("/").headers["content-security-policy"]


def test_an_unknown_host_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "a/?x="}).status_code == 400
    assert client.head("/", headers={"host": "a b"}).status_code == 400


def test_a_site_is_mounted_inside_another_application(app: Asok) -> None:
    outer = Starlette(routes=[Mount("/site", app=app)])
    with TestClient(outer, base_url="http://localhost", follow_redirects=False) as client:
        assert client.get("/site/item/1").json() == {"id": 2}
        assert client.get("/site/item/1/").headers["location"] == "/site/item/1"
        assert client.get("/site/nowhere").status_code == 404
        assert client.get("/site").status_code in (200, 307)


def test_a_path_that_only_begins_like_the_mount_is_another_one(app: Asok) -> None:
    with TestClient(app, base_url="http://localhost", root_path="/an") as client:
        assert client.get("/any").text == "GET"  # a server whose paths leave the mount out
        assert client.get("/an/any").text == "GET"


def test_links_of_a_mounted_site_begin_with_its_base_path(tmp_path: Path) -> None:
    page = "<script src=\"{{ static('js/a.js') }}\"></script>"
    files = {"src/pages/page.html": page, "src/partials/js/a.js": "1"}
    root = write_site(tmp_path, files)
    app = load_site(root, base_url="http://localhost/site")
    outer = Starlette(routes=[Mount("/site", app=app)])
    with TestClient(outer, base_url="http://localhost") as client:
        text = client.get("/site/").text
        assert 'src="/site/static/js/a.js"' in text
        assert client.get("/site/static/js/a.js").text == "1"


def test_a_wsgi_server_is_told_what_to_run(app: Asok) -> None:
    import io

    seen: list[str] = []
    log = io.StringIO()

    def start(status: str, headers: object) -> None:
        seen.append(status)

    body = b"".join(app({"wsgi.errors": log}, start))
    assert seen == ["500 Internal Server Error"]
    assert b"asok preview" in body
    assert "uvicorn wsgi:app" in log.getvalue()


def test_the_cookie_lives_as_long_as_a_session_may(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), session_absolute_ttl=90 * 86_400)
    with TestClient(app, base_url="http://localhost") as client:
        assert "Max-Age=7776000;" in client.get("/login").headers["set-cookie"]
