"""Methods, statuses and headers at their edges."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from .conftest import Open

SITE = {
    "src/pages/any/page.py": "CSRF = False\ndef render(request):\n    return request.method",
    "src/pages/none/page.py": "def get(request):\n    return 'text', 204",
    "src/pages/stop/page.py": "def get(request):\n    request.abort(304)",
    "src/pages/back/page.py": "def get(request):\n    return request.back('/any')",
    "src/pages/files/page.py": """
        def get(request):
            return request.send_file(request.args["path"])
        """,
    "src/pages/picture/page.py": """
        def get(request):
            return "<svg/>", 200, {"content-type": "image/svg+xml"}
        """,
    "src/pages/shared/page.py": """
        def get(request):
            response = request.html("form.html")
            response.headers["cache-control"] = "public, max-age=600"
            return response
        """,
    "src/pages/shared/form.html": "<form method=post action=/any></form>",
    "src/pages/public/page.py": """
        def get(request):
            return "hello", 200, {"cache-control": "public, max-age=600"}
        """,
    "src/pages/large/page.py": """
        def get(request):
            if "fill" in request.args:
                request.session.login(big="x" * 70_000)
            if "fail" in request.args:
                request.session["half"] = 1
                raise RuntimeError("half way")
            if "put" in request.args:
                request.session["a"] = 1
            return dict(request.session)
        """,
    "src/pages/500/page.html": "<h1>Sorry</h1>",
}


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


@pytest.mark.parametrize("method", ["ANY", "get", "Post", "RENDER", "TRACE"])
def test_methods_are_names_in_capitals(tmp_path: Path, method: str) -> None:
    app = load_site(write_site(tmp_path, SITE))
    assert app.parts.pages["/any"].handler(method) is None
    assert app.parts.pages["/any"].handler("HEAD") is not None


def test_an_answer_that_has_no_content_has_no_body(client: TestClient) -> None:
    none = client.get("/none")
    assert (none.status_code, none.content) == (204, b"")
    assert "content-length" not in none.headers
    stop = client.get("/stop")
    assert (stop.status_code, stop.content) == (304, b"")


@pytest.mark.parametrize("referer", ["http://[", "http://localhost:x/", "\\", "//"])
def test_a_malformed_referer_leads_to_the_default(client: TestClient, referer: str) -> None:
    assert client.get("/back", headers={"referer": referer}).status_code == 303


@pytest.mark.parametrize("path", ["%00", "a%00b", "x" * 300, "x/" * 3000])
def test_a_path_that_no_file_can_have_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(f"/files?path={path}").status_code == 404


def test_documents_that_can_run_scripts_have_the_policy(client: TestClient) -> None:
    assert "script-src 'self'" in client.get("/picture").headers["content-security-policy"]


def test_what_holds_a_visitors_value_is_never_shared(client: TestClient) -> None:
    answer = client.get("/shared")
    assert "set-cookie" in answer.headers
    assert answer.headers["cache-control"] == "private, no-cache"
    again = client.get("/shared")
    assert "set-cookie" not in again.headers
    assert again.headers["cache-control"] == "private, no-cache"
    assert client.get("/public").headers["cache-control"] == "public, max-age=600"


def test_a_session_that_can_not_be_saved_is_an_error_page(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/large?put=1")
    answer = client.get("/large?fill=1")
    assert answer.status_code == 500
    assert "<h1>Sorry</h1>" in answer.text
    assert "x-content-type-options" in answer.headers
    assert "largest key is 'big'" in caplog.text
    assert client.get("/large").json() == {"a": 1}


def test_what_a_failed_handler_changed_is_not_saved(client: TestClient) -> None:
    client.get("/large?put=1")
    assert client.get("/large?fail=1").status_code == 500
    assert client.get("/large").json() == {"a": 1}


def test_a_foreign_origin_is_explained_to_the_operator(
    open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_site({"src/pages/page.py": "def post(request):\n    return 'x'"})
    answer = client.post("/", headers={"origin": "https://localhost"})
    assert answer.status_code == 403
    assert "BASE_URL" in caplog.text
