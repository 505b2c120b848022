"""What an attacker sends to pages, forms and sessions, on requests from end to end."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok

from .conftest import Open

SITE = {
    "src/pages/page.html": "<h1>Home</h1>",
    "src/pages/account/page.py": """
        def get(request):
            return f"{request.session.get('user')} {request.csrf_token}"
        """,
    "src/pages/enter/page.py": """
        def get(request):
            return request.csrf_token
        def post(request):
            request.session.login(user=request.form["name"])
            return request.csrf_token
        def delete(request):
            request.session.logout()
            return request.csrf_token
        """,
    "src/pages/frozen/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get(request):
            return request.html("frozen.html", slug=request.params["slug"])
        """,
    "src/pages/frozen/[slug]/frozen.html": """
        <p>{{ slug }}</p><textarea><script>1</script></textarea><!-- <script>2</script> -->
        <script>3</script>{{ "<script>4</script>" | safe }}
        <form method="post" action="/enter"></form>
        """,
    "src/pages/members/page.py": """
        SSG = True
        def guard(request):
            return None if request.session.get("user") else ("no", 403)
        GUARDS = (guard,)
        def get(request):
            return "secret"
        """,
}


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, SITE))


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


def enter(client: TestClient, name: str = "ada") -> str:
    token = client.get("/enter").text
    answer = client.post("/enter", data={"name": name, "csrf_token": token})
    assert answer.status_code == 200
    return answer.text


def test_the_token_shown_after_a_login_is_that_of_the_new_session(client: TestClient) -> None:
    old = client.get("/enter").text
    new = enter(client)
    assert client.post("/enter", data={"name": "x", "csrf_token": old}).status_code == 403
    assert client.delete("/enter", headers={"x-csrf-token": new}).status_code == 200
    assert client.delete("/enter", headers={"x-csrf-token": new}).status_code == 403


def test_a_planted_cookie_and_its_own_token_fail_at_the_origin(client: TestClient) -> None:
    fields = {"name": "mallory", "csrf_token": client.get("/enter").text}
    for headers in ({"origin": "http://evil.localhost"}, {"sec-fetch-site": "same-site"}):
        assert client.post("/enter", data=fields, headers=headers).status_code == 403


def test_an_id_that_was_made_up_is_replaced(client: TestClient) -> None:
    client.cookies.set("asok", "A" * 65, domain="localhost.local")
    answer = client.get("/enter", headers={"cookie": "asok=" + "A" * 65})
    assert re.match(r"asok=(?!A{65})[\w-]{65};", answer.headers["set-cookie"])


def test_a_cookie_without_a_name_is_no_cookie_of_ours(client: TestClient) -> None:
    enter(client)
    own = client.cookies["asok"]
    client.cookies.clear()
    for text in (f"=asok={own}", f"asok{own}", f"x=asok={own}", "asok"):
        assert client.get("/account", headers={"cookie": text}).text.startswith("None ")
    assert client.get("/account", headers={"cookie": f"a=b; asok={own}"}).text.startswith("ada ")


def test_a_cookie_of_http_is_none_of_https(client: TestClient) -> None:
    enter(client)
    own = client.cookies["asok"]
    answer = client.get("https://localhost/account", headers={"cookie": f"asok={own}"})
    assert answer.text.startswith("None ")


@pytest.mark.parametrize(
    "path",
    ["/account/x.css", "/account;x.css", "/account%2fx.css", "/account%00.css", "/account/..;/x"],
)
def test_a_page_does_not_look_like_a_file_to_a_cache(client: TestClient, path: str) -> None:
    enter(client)
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/frozen/..", "/frozen/%2e%2e", "/frozen/%252e%252e%252fx", "/frozen/a%5c..%5cb",
        "/frozen/a%00", "/frozen/..%2f..%2fwsgi.py", "/frozen/" + "x" * 256, "//evil.example/",
        "/frozen/%ff",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_store(client: TestClient, path: str, tmp_path: Path) -> None:
    before = {file for file in tmp_path.rglob("*") if ".asok" not in file.parts}
    answer = client.get(path)
    assert answer.status_code in (200, 308, 400, 404)
    assert not answer.headers.get("location", "/").startswith("//")
    after = {file for file in tmp_path.rglob("*") if ".asok" not in file.parts}
    assert {file for file in after - before if "__pycache__" not in file.parts} == set()


def test_stored_bytes_do_not_depend_on_who_asked_first(tmp_path: Path) -> None:
    bodies: set[bytes] = set()
    for number, headers in enumerate(
        (
            {},
            {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"},
            {"accept-language": "de", "cookie": "asok=x", "x-original-url": "/enter"},
            {"host": "127.0.0.1", "x-asok-params": '{"slug": "b"}'},
        )
    ):
        app = load_site(write_site(tmp_path / str(number), SITE))
        with TestClient(app, base_url="http://localhost") as client:
            assert client.get("/frozen/a?slug=b", headers=headers).status_code == 200
        stored = [file for file in app.store_folder.rglob("*.html") if file.is_file()]
        assert len(stored) == 1
        bodies.add(stored[0].read_bytes())
    assert len(bodies) == 1
    body = bodies.pop()
    assert b"<p>a</p>" in body
    assert b"evil" not in body


def test_nothing_secret_is_stored(app: Asok, tmp_path: Path) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        answers = [client.get("/frozen/a") for _ in range(3)]
        secrets = {found for one in answers for found in re.findall(r'nonce="([^"]+)"', one.text)}
        secrets |= {found for one in answers for found in re.findall(r'value="([^"]+)"', one.text)}
        secrets.add(client.cookies["asok"])
        assert len(secrets) == 7
        files = [file for file in (tmp_path / ".asok").rglob("*") if file.is_file()]
        assert files
        for file in files:
            data = file.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in data], file


def test_only_the_templates_own_script_has_the_nonce(client: TestClient) -> None:
    for _ in range(2):  # the render that makes it, and the hit
        answer = client.get("/frozen/a")
        nonces = re.findall(r'<script nonce="([^"]+)">(\d)', answer.text)
        assert [number for _, number in nonces] == ["3"]
        assert f"'nonce-{nonces[0][0]}'" in answer.headers["content-security-policy"]
        assert "<script>4</script>" in answer.text


def test_a_page_with_a_visitors_values_has_its_exact_length_and_no_validator(
    client: TestClient,
) -> None:
    first = client.get("/frozen/a")
    for _ in range(2):
        answer = client.get("/frozen/a", headers={"if-none-match": "*"})
        head = client.head("/frozen/a")
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert head.headers["content-length"] == answer.headers["content-length"]
        assert (head.status_code, head.content) == (200, b"")
        assert "etag" not in answer.headers
        assert "last-modified" not in answer.headers
        assert answer.headers["cache-control"] == "private, no-cache"
    assert "set-cookie" in first.headers


def test_a_guard_runs_at_every_hit(client: TestClient) -> None:
    assert client.get("/members").status_code == 403
    enter(client)
    assert client.get("/members").text == "secret"
    assert client.get("/members").headers["cache-control"] == "private, no-store"
    client.cookies.clear()
    refused = client.get("/members")
    assert (refused.status_code, refused.headers["cache-control"]) == (403, "no-store")
    assert client.head("/members").status_code == 403


def test_author_text_that_looks_like_a_sentinel_stays(client: TestClient) -> None:
    name = "zqnonceabcdefghijklmnopabcdefghijklmnopqz"
    assert f"<p>{name}</p>" in client.get(f"/frozen/{name}").text


def test_a_flood_of_visitors_leaves_nothing_behind(app: Asok) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        for _ in range(50):
            client.cookies.clear()
            assert "set-cookie" in client.get("/enter").headers
        assert app.sessions.load("nobody") is None  # it makes the file
    with closing(sqlite3.connect(app.settings.session_path / "sessions.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM session").fetchone() == (0,)
