"""`{% cache %}` and `@cache_page` on whole sites: two visitors, hostile requests, and tags."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.services import wait_until

from asok import Asok, revalidate_tag
from asok.models.configuration import publish

from .conftest import Open

COUNT = """
from asok.cache import cache_page
made = []
def n():
    made.append(1)
    return len(made)
"""
PARTS = """
{% extends "html/base.html" %}{% block main %}
{% cache "form" 60 %}<form method="post">{{ n() }}</form><script>1</script>{% endcache %}
{% cache "posts" 60, tags=["posts"] %}<b>{{ n() }}</b>{% endcache %}
{% endblock %}
"""
SITE = {
    "src/components/counter.py": """
        from asok.component import Component

        class Counter(Component):
            count: int = 0
        """,
    "src/components/counter.html": "<i>{{ count }}</i>",
    "src/pages/page.py": COUNT + "def get(request):\n    return request.html('parts.html', n=n)",
    "src/pages/parts.html": PARTS,
    "src/pages/frozen/page.py": COUNT
    + "SSG = True\ndef get(request):\n    return request.html('parts.html', n=n)",
    "src/pages/frozen/parts.html": PARTS.replace('"posts" 60', '"frozen" 60'),
    "src/pages/whole/page.py": COUNT
    + """
@cache_page(ttl=3600, tags=("pages",))
def get(request):
    return request.html("parts.html", n=n)
""",
    "src/pages/whole/parts.html": PARTS,
    "src/pages/reads/[what]/page.py": """
        def get(request):
            return request.html(f"{request.params['what']}.html")
        """,
    **{
        f"src/pages/reads/[what]/{name}.html": (
            f"a\n{{% cache 'k' %}}\n{{{{ {read} }}}}{{% endcache %}}"
        )
        for name, read in {
            "session": "request.session.get('name')",
            "cookie": "request.cookies.name",
            "header": "request.headers['user-agent']",
            "user": "request.user",
            "args": "request.args.page",
            "path": "request.path",
            "flashes": "get_flashed_messages()",
        }.items()
    },
    "src/pages/handed/[what]/page.py": """
        from types import SimpleNamespace

        def guard(request):
            if not request.args.get("guest"):
                request.session["name"] = "Ada of " + request.params["what"]
                request.user = SimpleNamespace(name="Ada " + request.params["what"])

        GUARDS = [guard]

        def get(request):
            what, name = request.params["what"], "everybody"
            if what == "session": name = request.session["name"]
            if what == "user": name = request.user.name
            if what == "whole": name = request.user
            if what == "cookie": name = request.cookies["name"]
            if what == "query": name = request.args["name"]
            if what == "made": name = "Hello " + request.user.name
            return request.html("handed.html", name=name)
        """,
    "src/pages/handed/[what]/handed.html": ("a\n{% cache 'handed' 60 %}{{ name }}{% endcache %}"),
    "src/pages/vary/page.py": COUNT + "def get(request):\n    return request.html('v.html', n=n)",
    "src/pages/vary/v.html": (
        "{% cache 'k' 60, vary=request.cookies.name %}{{ n() }} {{ request.cookies.name }}"
        "{% endcache %}"
    ),
    "src/pages/live/page.py": COUNT + "def get(request):\n    return request.html('l.html', n=n)",
    "src/pages/live/l.html": (
        '{% cache "k" %}{{ component("Counter", count=1) }}{% endcache %}'
        '{{ component("Counter", count=2) }}'
    ),
    "src/pages/reflect/page.py": COUNT
    + """
@cache_page(ttl=60)
def get(request):
    names = ("x-forwarded-host", "origin", "x-original-url", "host")
    return " ".join(str(request.headers.get(name)) for name in names)
""",
    "src/pages/answer/[how]/page.py": COUNT
    + """
ANSWERS = {
    "star": ("vary", "*"), "padded": ("Vary", "accept ,\\t* "), "auth": ("vary", "Authorization"),
    "mixed": ("Cache-Control", "PrIvAtE"), "argument": ("cache-control", 'max-age=5, private="x"'),
    "nostore": ("cache-control", "No-Store"), "cookie": ("set-cookie", "a=secret; path=/x"),
}

@cache_page(ttl=60, vary=("accept",))
def get(request):
    return f"body {n()}", 200, dict([ANSWERS[request.params["how"]]])
""",
    "src/pages/empty/page.py": COUNT
    + """
@cache_page(ttl=60, vary=("x-a",), query=("b",))
def get(request):
    return f"{n()} {request.headers.get('x-a')!r} {request.args.get('b')!r}"
""",
    "src/pages/kept/page.py": """
        def get(request):
            return request.json(request.cache.remember("k", 60, lambda: [1], tags=("posts",)))
        """,
}


@pytest.fixture
def client(open_cached: Open) -> TestClient:
    return open_cached(SITE)


@pytest.fixture
def in_memory(open_site: Open) -> TestClient:
    """For what is decided before a store is asked."""
    return open_site(SITE)


def shown(text: str) -> list[str]:
    return re.findall(r">(\d+)<", text)


def test_a_fragment_is_filled_for_each_visitor(client: TestClient) -> None:
    first = client.get("/")
    client.cookies.clear()
    second = client.get("/")
    assert shown(first.text) == shown(second.text) == ["1", "1", "2"]
    for answer in (first, second):
        nonce = re.search(r'nonce="([\w-]{22})"', answer.text)
        assert nonce is not None
        assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]
    found = [re.findall(r'csrf_token" value="([\w-]{86})"', one.text) for one in (first, second)]
    assert len({*found[0], *found[1]}) == 2


def test_a_fragment_that_reads_its_visitor_is_refused(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for what in ("session", "cookie", "header", "user", "args", "path", "flashes"):
        caplog.clear()
        assert client.get(f"/reads/{what}").status_code == 500, what
        assert "is kept for everybody" in caplog.text
        assert f"{what}.html:3" in caplog.text
        assert "vary=request." in caplog.text


def test_what_a_handler_read_of_its_visitor_is_refused_under_another_name(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    app: Asok = client.app  # type: ignore[assignment]
    options = {"headers": {"cookie": "name=Ada1"}, "params": {"name": "Ada2"}}
    for what in ("session", "user", "whole", "cookie", "query"):
        caplog.clear()
        app.cache.flush()
        found = client.get(f"/handed/{what}", **options)  # type: ignore[arg-type]
        assert found.status_code == 500, what
        assert "is kept for everybody" in caplog.text
        assert "handed.html:2" in caplog.text
        assert "everybody" in client.get("/handed/nobody").text


def test_developers_are_asked_about_what_was_made_of_it(
    open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_site(SITE, debug=True)
    assert "everybody" in client.get("/handed/nobody").text
    assert "kept for everybody" not in caplog.text, "what a guard read is not the handler's"
    client.app.cache.flush()  # type: ignore[attr-defined]  # pyright: ignore
    assert "Hello Ada made" in client.get("/handed/made").text
    assert "shows name; the handler had looked at the visitor's user by then" in caplog.text


def test_a_fragment_may_read_what_its_key_holds(client: TestClient) -> None:
    found = [client.get("/vary", headers={"cookie": f"name={name}"}).text for name in "ABA"]
    assert found == ["1 A", "2 B", "1 A"]


def test_components_in_a_fragment_are_nobodys_and_counted_apart(in_memory: TestClient) -> None:
    for _ in range(2):
        ids = re.findall(r'id="(asok-[^"]+)"', in_memory.get("/live").text)
        assert len(set(ids)) == 2


def test_one_tag_means_pages_fragments_and_values(client: TestClient) -> None:
    assert shown(client.get("/whole").text) == shown(client.get("/whole").text)
    frozen = shown(client.get("/frozen").text)
    assert shown(client.get("/frozen").text) == frozen
    assert client.get("/kept").json() == [1]
    app: Asok = client.app  # type: ignore[assignment]
    before = client.get("/whole").text
    publish(("posts",))
    assert app.cache.get("k") is None
    assert shown(client.get("/whole").text) != shown(before)
    wait_until(lambda: shown(client.get("/frozen").text) != frozen, what="the page made anew")
    before = client.get("/whole").text
    revalidate_tag("pages")
    after = client.get("/whole")
    assert "fwd=miss" in after.headers["cache-status"]
    assert shown(after.text) == shown(before), "its fragments are still there"


def test_a_page_ends_with_the_first_of_its_fragments(open_site: Open) -> None:
    client = open_site(SITE)
    app: Asok = client.app  # type: ignore[assignment]
    client.get("/whole")
    store: Any = app.cache.store
    ends = {key.partition(":")[0]: kept.fresh_until for key, kept in store._data.items()}
    assert ends["page"] <= ends["fragment"] + 1


def test_what_one_visitor_sends_in_headers_reaches_no_other(in_memory: TestClient) -> None:
    evil = {"x-forwarded-host": "evil.example", "origin": "https://evil", "x-original-url": "/e"}
    assert "evil" in in_memory.get("/reflect", headers=evil).text
    assert in_memory.get("/reflect").text == "None None None localhost"
    assert in_memory.get("/reflect", headers={"host": "127.0.0.1"}).text.endswith("127.0.0.1")


def test_answers_that_say_so_are_each_visitors_own(client: TestClient) -> None:
    for turn, how in enumerate(
        ("star", "padded", "auth", "mixed", "argument", "nostore", "cookie")
    ):
        answers = [
            client.get(f"/answer/{how}", headers={"cookie": cookie, "authorization": cookie})
            for cookie in ("name=A", "name=B", "name=B")
        ]
        assert [one.text for one in answers] == [f"body {3 * turn + n}" for n in (1, 2, 3)], how
        assert all("hit" not in one.headers["cache-status"].split(";")[1] for one in answers), how


def test_missing_and_empty_are_not_the_same(in_memory: TestClient) -> None:
    def get(query: str, **headers: str) -> str:
        return in_memory.get(
            f"/empty{query}", headers={k.replace("_", "-"): v for k, v in headers.items()}
        ).text

    asked: list[Any] = [("", {}), ("", {"x_a": ""}), ("?b=", {}), ("?b=1", {}), ("?b=1&b=2", {})]
    made = [get(query, **headers) for query, headers in asked]
    assert [text.split()[0] for text in made] == ["1", "2", "3", "4", "5"]
    assert [get(query, **headers) for query, headers in asked] == made


def test_an_etag_is_of_one_url(in_memory: TestClient) -> None:
    one, two = in_memory.get("/empty?b="), in_memory.get("/empty?b=1")
    assert one.headers["etag"] != two.headers["etag"]
    again = in_memory.get("/empty?b=1", headers={"if-none-match": one.headers["etag"]})
    assert (again.status_code, again.text) == (200, two.text)


def test_developers_see_what_a_request_asked_of_the_cache(open_site: Open) -> None:
    client = open_site(SITE, debug=True)
    assert client.get("/").headers["server-timing"] == 'cache;desc="2 misses"'
    assert client.get("/").headers["server-timing"] == 'cache;desc="2 hits"'
