"""`@cache_page`: one answer for many, and never one visitor's for another."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.services import wait_until

from asok import Asok

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
    return open_cached(SITE)


def stored_pages(client: TestClient) -> Callable[[], set[str]]:
    """Return a function that tells under which keys pages were stored since."""
    keys: set[str] = set()
    app: Asok = client.app  # type: ignore[assignment]
    store: Any = app.cache.store
    real = store.set

    def set_(key: str, *args: Any, **options: Any) -> bool:
        keys.add(key)
        return real(key, *args, **options)

    store.set = set_
    return lambda: {key for key in keys if key.startswith("page:")}


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


def test_async_handlers_are_cached_too(client: TestClient) -> None:
    assert {client.get("/async").text for _ in range(3)} == {"made 1"}
    assert client.get("/async?utm=1").text == "made 1"


def test_only_declared_parameters_and_headers_join_the_key(client: TestClient) -> None:
    def get(query: str = "", language: str = "en") -> dict[str, object]:
        return client.get(f"/list{query}", headers={"accept-language": language}).json()

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


def test_an_undeclared_parameter_that_was_read_is_answered_fresh(client: TestClient) -> None:
    assert client.get("/reads/args").text == client.get("/reads/args").text == "1"
    assert client.get("/reads/args?page=2").text == "2"
    assert client.get("/reads/args?page=2").text == "3"
    assert client.get("/reads/args?other=2").text == "1"
    assert client.get("/reads/nothing").text == "4"


MORE = {
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
    "src/pages/stale/page.py": COUNT
    + """
@cache_page(ttl=0.2, stale=60, tags=("stale",))
def get(request):
    made.append(1)
    if len(made) == 2:
        1 / 0
    return f"made {len(made)} {request.args.get('x')}"
""",
}


@pytest.fixture
def more(open_cached: Open) -> TestClient:
    return open_cached(MORE)


def test_a_page_without_holes_is_confirmed_by_its_etag(more: TestClient) -> None:
    def get(language: str, **headers: str) -> Any:
        return more.get("/plain", headers={"accept-language": language, **headers})

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


def test_a_404_is_kept_and_shown_by_the_sites_own_page(more: TestClient) -> None:
    for how in ("abort", "record"):
        first, second = more.get(f"/gone/{how}"), more.get(f"/gone/{how}")
        assert first.status_code == second.status_code == 404
        assert first.text == second.text
        assert "hit" in second.headers["cache-status"]
    moved = [more.get("/gone/moved").headers for _ in range(2)]
    assert moved[1]["location"] == "/plain"
    assert "hit" in moved[1]["cache-status"]


def test_one_visitors_error_is_not_anothers(more: TestClient) -> None:
    def get(how: str, name: str) -> Any:
        return more.get(f"/gone/{how}", headers={"cookie": f"name={name}"})

    assert "gone for A" in get("own", "A").text
    assert "gone for B" in get("own", "B").text
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: (name, get("refused", name)), "ABCDEFGH"))
    for name, refused in answers:
        assert refused.status_code == 401
        assert f"not you, {name}," in refused.text
    assert more.get("/gone/broken").status_code == 500


def test_what_the_key_holds_may_be_read(more: TestClient, caplog: Any) -> None:
    def get(cookie: str = "", query: str = "") -> str:
        return more.get(f"/keyed{query}", headers={"cookie": cookie}).text

    assert get("theme=dark") == get("theme=dark; name=A") == "1 dark None"
    assert get("theme=light") == get("theme=light") == "2 light None"
    assert get("editor=1; theme=dark") == "3 dark None"
    assert get("theme=dark; name=A", "?q=name") == "4 dark None"
    assert get("theme=dark; name=B", "?q=name") == "5 dark None"
    more.post("/keyed")
    assert more.get("/keyed").text == more.get("/keyed").text == "6 None fi"
    app: Asok = more.app  # type: ignore[assignment]
    app.cache.forget_tags("posts")
    assert get("theme=dark") == "7 dark None"
    app.cache.forget_tags("themes")
    assert get("theme=dark") == "8 dark None"


def test_streams_are_kept_whole_or_not_at_all(more: TestClient) -> None:
    first, second = more.get("/stream/sync"), more.get("/stream/sync")
    assert "hit" in second.headers["cache-status"]
    assert first.text != second.text, "each has a token of its own"
    assert second.headers["content-length"] == str(len(second.content)) == "88"
    made = [more.get("/stream/async").text for _ in range(2)]
    assert [re.sub(r'"[\w-]{22}"', "N", text) for text in made] == [made_script(made[0])] * 2
    assert more.get("/stream/fails").status_code == 500
    assert more.get("/stream/long").status_code == 500
    for _ in range(2):
        events = more.get("/stream/events")
        assert (events.text, "hit" in events.headers["cache-status"]) == ("data: 1", False)
    assert more.get("/stream").status_code == 500
    assert more.get("/stream").text == more.get("/stream").text == "<p>2</p>"


def made_script(text: str) -> str:
    return re.sub(r'"[\w-]{22}"', "N", text)


def test_handlers_that_call_each_other_do_not_mix_their_pages(more: TestClient) -> None:
    assert more.get("/two").text == "onetwo1None"
    assert more.get("/two").text == "onetwo2None", "the session was read around the others"


def test_a_head_never_makes_the_page_of_a_get(more: TestClient) -> None:
    assert more.head("/head").headers["content-length"] == "0"
    assert more.get("/head").text == more.get("/head").text == "made 2"
    head = more.head("/head")
    assert "hit" in head.headers["cache-status"]
    assert head.headers["content-length"] == "6"


def test_what_a_guard_left_for_the_handler_is_the_visitors(more: TestClient) -> None:
    for name in "ABA":
        answer = more.get("/guarded", headers={"cookie": f"name={name}"})
        assert answer.text == f"hello {name}"
        assert (
            "state" in answer.headers["cache-status"] or "private" in answer.headers["cache-status"]
        )


def test_declared_parameters_of_a_page_join_the_key(more: TestClient) -> None:
    get = [more.get(f"/declared{query}").text for query in ("", "?page=2", "?page=2", "?page=02")]
    assert get[:3] == ["1 page 1", "2 page 2", "2 page 2"]
    assert more.get("/declared?utm=1").text == "1 page 1"


def test_an_old_page_is_served_while_one_is_made(
    more: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.cache.refresh._REST", 0.0)

    def old_then(text: str) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            answer = more.get("/stale")
            if answer.text == text:
                return
            assert answer.text == "made 1 None"
            time.sleep(0.05)
        pytest.fail("nobody made it anew")

    old_then("made 1 None")
    old_then("made 3 None")


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


def test_a_damaged_page_in_the_store_costs_a_render(more: TestClient) -> None:
    app: Asok = more.app  # type: ignore[assignment]
    pages = stored_pages(more)
    assert more.get("/head").text == "made 1"
    (key,) = pages()
    app.cache.set(key, ("nonsense",))
    assert more.get("/head").text == "made 2"
    assert more.get("/head").text == more.get("/head").text == "made 3"


ASYNC = {
    "src/pages/page.py": COUNT
    + """
@cache_page(ttl=0.2, stale=60, query=("q",), unless=lambda request: "x" in request.cookies)
async def get(request):
    made.append(request)
    if len(made) == 2:
        return "broken", 500
    if len(made) == 3:
        assert request is not made[0] and request.visitor is not made[0].visitor
        assert request.path == "/" and request.method == "GET"
    return f"made {len(made)} {request.args.get('q')}"
""",
    "src/pages/own/page.py": COUNT
    + """
@cache_page
async def get(request):
    made.append(1)
    request.tag("own")
    return f"{len(made)} {request.session.get('name') if len(made) < 3 else 'nobody'}"
""",
    "src/pages/own/sync/page.py": COUNT
    + """
@cache_page
def get(request):
    made.append(1)
    return f"{len(made)} {request.session.get('name') if len(made) < 3 else 'nobody'}"
""",
    "src/pages/becomes/[what]/page.py": COUNT
    + """
@cache_page(ttl=0.1, stale=60)
def get(request):
    made.append(1)
    if len(made) > 1 and request.params["what"] == "private":
        request.session.get("name")
    if len(made) > 1 and request.params["what"] == "gone":
        request.abort(404)
    return f"made {len(made)}"
""",
}


def test_old_pages_of_async_handlers_are_made_anew_by_a_request_of_their_own(
    open_cached: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.cache.refresh._REST", 0.0)
    client = open_cached(ASYNC)
    assert client.get("/").text == "made 1 None"

    def becomes(text: str) -> bool:
        return client.get("/").text == text

    wait_until(lambda: becomes("made 3 None"), what="the third page")
    assert "could not be made anew: the status is 500" in caplog.text
    bypass = client.get("/", headers={"cookie": "x=1"}).headers["cache-status"]
    assert bypass == "asok; fwd=bypass; detail=unless"


def test_a_page_that_becomes_everybodys_is_kept_from_then_on(open_cached: Open) -> None:
    client = open_cached(ASYNC)
    pages = stored_pages(client)
    app: Asok = client.app  # type: ignore[assignment]
    for path in ("/own", "/own/sync"):
        assert [client.get(path).text for _ in range(6)] == [
            *("1 None", "2 None", "3 nobody", "4 nobody", "4 nobody", "4 nobody")
        ]
        for key in pages():
            app.cache.set(key, "damaged")
        assert client.get(path).text == "5 nobody"
        assert client.get(path).text == client.get(path).text == "6 nobody"


def test_an_old_page_that_became_private_or_nothing_is_not_served_for_ever(
    open_cached: Open,
) -> None:
    client = open_cached(ASYNC)
    for what in ("private", "gone"):
        client.get(f"/becomes/{what}")
    wait_until(lambda: client.get("/becomes/private").text != "made 1", what="a private page")
    wait_until(lambda: client.get("/becomes/gone").status_code == 404, what="the end of the page")
