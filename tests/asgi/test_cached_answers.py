"""Answers of every kind under `@cache_page`: errors, redirects, streams, keys of the site's own."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from asok import Asok

from .conftest import Open

COUNT = "from asok.cache import cache_page\nmade = []\n"
SITE = {
    "src/pages/plain/page.py": COUNT
    + """
@cache_page(ttl=60, vary=("accept-language",))
def get(request):
    made.append(request.headers.get("accept-language"))
    return f"<p>{made[-1]}</p>"
""",
    "src/pages/gone/[how]/page.py": COUNT
    + """
from asok.errors import RecordNotFound

@cache_page(ttl=60)
def get(request):
    made.append(1)
    how = request.params["how"]
    if how == "record":
        raise RecordNotFound("no such row")
    if how == "abort":
        request.abort(404, f"gone {len(made)}")
    if how == "own":
        request.abort(404, f"gone for {request.cookies.get('name')}")
    if how == "moved":
        return "", 301, {"location": "/plain"}
    if how == "refused":
        request.abort(401, f"not you, {request.cookies.get('name')}, {len(made)}")
    1 / 0
""",
    "src/pages/keyed/page.py": COUNT
    + """
@cache_page(
    ttl=60,
    key=lambda request: (request.cookies.get("theme"), request.session.get("lang")),
    unless=lambda request: "editor" in request.cookies,
    query=("q",),
    tags=("themes",),
)
def get(request):
    made.append(1)
    if request.args.get("q") == "name":
        request.cookies.get("name")
    request.tag("posts")
    return f"{len(made)} {request.cookies.get('theme')} {request.session.get('lang')}"

def post(request):
    request.session["lang"] = "fi"
    return "ok"
CSRF = False
""",
    "src/pages/stream/[kind]/page.py": COUNT
    + """
from starlette.responses import StreamingResponse

async def chunks(request, fails):
    yield f'<script nonce="{request.nonce}">{len(made)}</script>'
    if fails:
        raise RuntimeError("in the middle")
    yield b"end"

@cache_page(ttl=60)
def get(request):
    made.append(1)
    kind = request.params["kind"]
    if kind == "events":
        return StreamingResponse(iter(["data: 1"]), media_type="text/event-stream")
    if kind == "async":
        return chunks(request, False)
    if kind == "long":
        return ("x" * (1 << 20) for _ in range(17))
    return (text for text in ["a", request.csrf_token, "b" * (1 // (kind != "fails"))])
""",
    "src/pages/stream/page.py": COUNT
    + """
@cache_page(ttl=60)
async def get(request):
    made.append(1)
    async def chunks():
        yield "<p>"
        if len(made) == 1:
            raise RuntimeError("in the middle")
        yield f"{len(made)}</p>"
    return chunks()
""",
    "src/pages/two/page.py": COUNT
    + """
@cache_page(ttl=60)
def one(request):
    return "one"

@cache_page(ttl=60)
def two(request):
    return "two"

@cache_page(ttl=60)
def get(request):
    made.append(1)
    return one(request) + two(request) + str(len(made)) + str(request.session.get("a"))
""",
    "src/pages/head/page.py": COUNT
    + """
@cache_page(ttl=60)
def get(request):
    made.append(1)
    return "" if request.method == "HEAD" else f"made {len(made)}"
""",
    "src/pages/guarded/page.py": COUNT
    + """
def guard(request):
    request.state["name"] = request.cookies.get("name")

GUARDS = (guard,)

@cache_page(ttl=60)
def get(request):
    return f"hello {request.state['name']}"
""",
    "src/pages/declared/page.py": COUNT
    + """
QUERY = {"page": int}

@cache_page(ttl=60)
def get(request):
    made.append(1)
    return f"{len(made)} page {request.query.get('page', 1)}"
""",
}


@pytest.fixture
def client(open_cached: Open) -> TestClient:
    return open_cached(SITE)


@pytest.fixture
def in_memory(open_site: Open) -> TestClient:
    return open_site(SITE)


def test_a_page_without_holes_is_confirmed_by_its_etag(client: TestClient) -> None:
    def get(language: str, **headers: str) -> Any:
        return client.get("/plain", headers={"accept-language": language, **headers})

    first = get("en")
    assert first.headers["vary"] == "accept-language"
    etag = first.headers["etag"]
    same = get("en", **{"if-none-match": f'"other", W/{etag}'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == etag
    assert "content-security-policy" in same.headers
    assert get("en", **{"if-none-match": '"other"'}).status_code == 200
    other = get("fi", **{"if-none-match": etag})
    assert (other.status_code, other.text) == (200, "<p>fi</p>")


def test_a_404_is_kept_and_shown_by_the_sites_own_page(client: TestClient) -> None:
    for how in ("abort", "record"):
        first, second = client.get(f"/gone/{how}"), client.get(f"/gone/{how}")
        assert first.status_code == second.status_code == 404
        assert first.text == second.text
        assert "hit" in second.headers["cache-status"]
    moved = [client.get("/gone/moved").headers for _ in range(2)]
    assert moved[1]["location"] == "/plain"
    assert "hit" in moved[1]["cache-status"]


def test_one_visitors_error_is_not_anothers(client: TestClient) -> None:
    def get(how: str, name: str) -> Any:
        return client.get(f"/gone/{how}", headers={"cookie": f"name={name}"})

    assert "gone for A" in get("own", "A").text
    assert "gone for B" in get("own", "B").text
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: (name, get("refused", name)), "ABCDEFGH"))
    for name, refused in answers:
        assert refused.status_code == 401
        assert f"not you, {name}," in refused.text
    assert client.get("/gone/broken").status_code == 500


def test_what_the_key_holds_may_be_read(client: TestClient, caplog: Any) -> None:
    def get(cookie: str = "", query: str = "") -> str:
        return client.get(f"/keyed{query}", headers={"cookie": cookie}).text

    assert get("theme=dark") == get("theme=dark; name=A") == "1 dark None"
    assert get("theme=light") == get("theme=light") == "2 light None"
    assert get("editor=1; theme=dark") == "3 dark None"
    assert get("theme=dark; name=A", "?q=name") == "4 dark None"
    assert get("theme=dark; name=B", "?q=name") == "5 dark None"
    client.post("/keyed")
    assert client.get("/keyed").text == client.get("/keyed").text == "6 None fi"
    app: Asok = client.app  # type: ignore[assignment]
    app.cache.forget_tags("posts")
    assert get("theme=dark") == "7 dark None"
    app.cache.forget_tags("themes")
    assert get("theme=dark") == "8 dark None"


def test_streams_are_kept_whole_or_not_at_all(client: TestClient) -> None:
    first, second = client.get("/stream/sync"), client.get("/stream/sync")
    assert "hit" in second.headers["cache-status"]
    assert first.text != second.text, "each has a token of its own"
    assert second.headers["content-length"] == str(len(second.content)) == "88"
    made = [client.get("/stream/async").text for _ in range(2)]
    assert [re.sub(r'"[\w-]{22}"', "N", text) for text in made] == [made_script(made[0])] * 2
    assert client.get("/stream/fails").status_code == 500
    assert client.get("/stream/long").status_code == 500
    for _ in range(2):
        events = client.get("/stream/events")
        assert (events.text, "hit" in events.headers["cache-status"]) == ("data: 1", False)
    assert client.get("/stream").status_code == 500
    assert client.get("/stream").text == client.get("/stream").text == "<p>2</p>"


def made_script(text: str) -> str:
    return re.sub(r'"[\w-]{22}"', "N", text)


def test_handlers_that_call_each_other_do_not_mix_their_pages(in_memory: TestClient) -> None:
    assert in_memory.get("/two").text == "onetwo1None"
    assert in_memory.get("/two").text == "onetwo2None", "the session was read around the others"


def test_a_head_never_makes_the_page_of_a_get(in_memory: TestClient) -> None:
    assert in_memory.head("/head").headers["content-length"] == "0"
    assert in_memory.get("/head").text == in_memory.get("/head").text == "made 2"
    head = in_memory.head("/head")
    assert "hit" in head.headers["cache-status"]
    assert head.headers["content-length"] == "6"


def test_what_a_guard_left_for_the_handler_is_the_visitors(in_memory: TestClient) -> None:
    for name in "ABA":
        answer = in_memory.get("/guarded", headers={"cookie": f"name={name}"})
        assert answer.text == f"hello {name}"
        assert (
            "state" in answer.headers["cache-status"] or "private" in answer.headers["cache-status"]
        )


def test_declared_parameters_of_a_page_join_the_key(in_memory: TestClient) -> None:
    get = [
        in_memory.get(f"/declared{query}").text for query in ("", "?page=2", "?page=2", "?page=02")
    ]
    assert get[:3] == ["1 page 1", "2 page 2", "2 page 2"]
    assert in_memory.get("/declared?utm=1").text == "1 page 1"


def test_a_value_that_is_no_key_is_an_error(open_site: Open) -> None:
    client = open_site(
        {
            "src/pages/page.py": """
                from asok.cache import cache_page

                @cache_page(key=lambda request: object())
                def get(request):
                    return "x"
                """
        },
        debug=True,
    )
    assert client.get("/").status_code == 500
