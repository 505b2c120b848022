"""`@cache_page`: one answer for many, and never one visitor's for another."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from .conftest import Open

COUNT = "from asok.cache import cache_page\nimport time\nmade = []\n"
SITE = {
    "src/pages/page.html": "home",
    "src/pages/slow/page.py": COUNT
    + """
@cache_page(ttl=60)
def render(request):
    made.append(1)
    time.sleep(0.05)
    return request.html("slow.asok", number=len(made))
""",
    "src/pages/slow/slow.asok": (
        "<p>{{ number }}</p><script>1</script><form method=post><input name=a></form>"
    ),
    "src/pages/async/page.py": COUNT
    + """
@cache_page(ttl=60)
async def get(request):
    made.append(1)
    return f"made {len(made)}"
""",
    "src/pages/list/page.py": COUNT
    + """
@cache_page(ttl=60, query=("page",), vary=("accept-language",))
def get(request):
    made.append(1)
    return {"n": len(made), "page": request.args.get("page"),
            "language": request.headers.get("accept-language")}
""",
    "src/pages/reads/[what]/page.py": COUNT
    + """
@cache_page(ttl=60)
def get(request):
    made.append(1)
    what = request.params["what"]
    if what == "session": request.session.get("x")
    if what == "cookies": request.cookies.get("x")
    if what == "user": request.user
    if what == "client": request.ip
    if what == "origin": request.headers.get("origin")
    if what == "all": dict(request.headers)
    if what == "url": str(request.url)
    if what == "args": request.args.get("page")
    response = request.text(f"{len(made)}", 500 if what == "error" else 200)
    if what == "cookie": response.set_cookie("a", "b")
    if what == "private": response.headers["cache-control"] = "Private , max-age=1"
    if what == "vary": response.headers["vary"] = " * "
    if what == "modified": request.visitor.session["x"] = len(made)
    return response
""",
}


@pytest.fixture
def client(open_cached: Open) -> TestClient:
    """With each store in turn: what is kept goes through it, and is asked in threads or not."""
    return open_cached(SITE)


@pytest.fixture
def in_memory(open_site: Open) -> TestClient:
    """For what is decided before a store is asked."""
    return open_site(SITE)


def test_an_answer_is_made_once_and_filled_for_each_visitor(client: TestClient) -> None:
    first, second = client.get("/slow"), client.get("/slow")
    assert first.headers["cache-status"] == "asok; fwd=miss; stored; ttl=60"
    assert re.fullmatch(r"asok; hit; ttl=\d+", second.headers["cache-status"])
    assert int(second.headers["age"]) <= 60
    assert "etag" not in second.headers, "the next nonce would not go with the old body"
    assert "<p>1</p>" in second.text
    for answer in (first, second):
        nonce = re.search(r'nonce="([\w-]{22})"', answer.text)
        assert nonce is not None
        assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]
    token = re.search(r'csrf_token" value="([\w-]{86})"', second.text)
    assert token is not None
    assert first.text != second.text
    assert client.head("/slow").headers["cache-status"].startswith("asok; hit")
    assert client.head("/slow").headers["content-length"] == str(len(second.content))
    assert "<p>2</p>" in client.post("/slow", data={"csrf_token": token[1]}).text


def test_many_who_ask_at_once_cost_one_render(client: TestClient) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.get("/slow").text, range(20)))
    assert all("<p>1</p>" in answer for answer in answers)


def test_async_handlers_are_cached_too(in_memory: TestClient) -> None:
    assert {in_memory.get("/async").text for _ in range(3)} == {"made 1"}
    assert in_memory.get("/async?utm=1").text == "made 1"


def test_only_declared_parameters_and_headers_join_the_key(in_memory: TestClient) -> None:
    def get(query: str = "", language: str = "en") -> dict[str, object]:
        return in_memory.get(f"/list{query}", headers={"accept-language": language}).json()

    assert get() == get() == {"n": 1, "page": None, "language": "en"}
    assert get("?page=2") == get("?page=2") == {"n": 2, "page": "2", "language": "en"}
    assert get(language="fi") == get(language="fi") == {"n": 3, "page": None, "language": "fi"}
    assert get("?utm_source=x") == {"n": 1, "page": None, "language": "en"}


def test_what_depends_on_the_visitor_is_never_shared(client: TestClient) -> None:
    for what in (
        "session", "cookies", "user", "client", "origin", "all", "url",
        "error", "cookie", "private", "vary", "modified",
    ):  # fmt: skip
        path = f"/reads/{what}"
        assert client.get(path).text != client.get(path).text, what
        assert "hit" not in client.get(path).headers.get("cache-status", ""), what


def test_an_undeclared_parameter_that_was_read_is_answered_fresh(in_memory: TestClient) -> None:
    assert in_memory.get("/reads/args").text == in_memory.get("/reads/args").text == "1"
    assert in_memory.get("/reads/args?page=2").text == "2"
    assert in_memory.get("/reads/args?page=2").text == "3"
    assert in_memory.get("/reads/args?other=2").text == "1"
    assert in_memory.get("/reads/nothing").text == "4"
