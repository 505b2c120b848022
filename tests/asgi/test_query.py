"""Declared query parameters on requests: which page they are, and what nobody can make of them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok
from asok.errors import FrozenPageError

from .conftest import Open

SITE = {
    "src/pages/page.py": "SSG = True\ndef get(request):\n    return 'home'",
    "src/pages/news/page.py": """
        SSG = True
        QUERY = {"page": int, "sort": ("new", "old"), "all": bool}
        def get(request):
            args = request.args
            assert set(request.query) == set(args)
            text = f"{args.get('page', '-')} {args.get('sort', '-')} {request.query.get('all')}"
            return text if request.query.get("page") != 404 else request.abort(404)
        """,
    "src/pages/search/page.py": """
        SSG = True
        QUERY = ("q",)
        def get(request):
            return request.html("q.html", q=request.args.get("q", ""))
        """,
    "src/pages/search/q.html": "<p>{{ q }}</p>",
    "src/pages/list/[slug]/page.py": """
        SSG = True
        FALLBACK = "404"
        QUERY = ("page",)
        def get_static_paths():
            return [{"slug": "a"}]
        def get(request):
            return request.params["slug"] + request.args.get("page", "")
        """,
    "src/pages/members/page.py": """
        SSG = True
        QUERY = ("page",)
        def guard(request):
            return None if request.cookies.get("member") else ("no", 403)
        GUARDS = (guard,)
        def get(request):
            return "secret" + request.args.get("page", "")
        """,
    "src/pages/live/page.py": """
        QUERY = {"page": int}
        def get(request):
            return {"page": request.query.get("page"), "raw": request.args.get("raw")}
        def post(request):
            return {"page": request.query.get("page")}
        CSRF = False
        """,
}


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


def cache(client: TestClient, url: str) -> tuple[str, str]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.text, answer.headers["x-asok-ssg-cache"]


def test_declared_parameters_tell_pages_apart(client: TestClient) -> None:
    assert cache(client, "/news") == ("- - None", "MISS")
    assert cache(client, "/news?page=2") == ("2 - None", "MISS")
    assert cache(client, "/news?page=2&sort=old&all=on") == ("2 old True", "MISS")
    assert cache(client, "/news") == ("- - None", "HIT")
    assert cache(client, "/news?page=2") == ("2 - None", "HIT")


@pytest.mark.parametrize(
    "url",
    [
        "/news?sort=new&page=2",
        "/news?page=2&sort=new&utm_source=mail",
        "/news?page=1&page=2&sort=new",
        "/news?%70age=%32&sort=new",
        "/news?utm_source=x&sort=old&sort=new&page=2&&",
        "/news?page=2&sort=new&" + "x" * 10_000,
    ],
)
def test_a_page_has_one_entry_however_its_query_is_written(client: TestClient, url: str) -> None:
    assert cache(client, "/news?page=2&sort=new") == ("2 new None", "MISS")
    assert cache(client, url) == ("2 new None", "HIT")
    assert cache(client, url) == ("2 new None", "HIT")


@pytest.mark.parametrize(
    "query", ["/x.json", "utm_source=x&fbclid=y", "", "PAGE=2", "page%00=2", "slug=b", "x" * 10_000]
)
def test_an_undeclared_query_is_the_plain_page(client: TestClient, query: str) -> None:
    assert cache(client, "/news") == ("- - None", "MISS")
    assert cache(client, f"/news?{query}") == ("- - None", "HIT")
    assert cache(client, "/") == ("home", "MISS")
    assert cache(client, f"/?{query}") == ("home", "HIT")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "query",
    [
        "page=", "page=x", "page=01", "page=1.5", "page=2&page=x", "page=%00", "page=" + "1" * 30,
        "sort=NEW", "all=maybe", "page=" + "x" * 10_000,
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_no_page(open_site: Open, query: str, debug: bool) -> None:
    client = open_site(SITE, debug=debug)
    client.get("/news")
    for _ in range(2):
        answer = client.get(f"/news?{query}")
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"


def test_a_path_can_not_name_the_entry_of_a_query(client: TestClient) -> None:
    assert cache(client, "/news?page=2")[1] == "MISS"
    assert client.get("/news%00page=2").status_code == 404
    assert client.get("/news%00page%3D2").status_code == 404


def test_text_is_escaped_and_bounded(client: TestClient) -> None:
    assert client.get("/search?q=%3Cb%3E").text == "<p>&lt;b&gt;</p>"
    assert client.get("/search?q=Cafe%CC%81").text == "<p>Caf\u00e9</p>"
    assert cache(client, "/search?q=Caf%C3%A9")[1] == "HIT"
    assert client.get("/search?q=" + "x" * 100).status_code == 200
    for bad in ("x" * 101, "a%0Ab", "%FF", "%00", ""):
        assert client.get(f"/search?q={bad}").status_code == 404


def test_variants_of_a_page_that_is_not_listed_are_none_either(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE))
    app.freeze()
    with TestClient(load_site(tmp_path), base_url="http://localhost") as client:
        assert cache(client, "/list/a") == ("a", "HIT")
        assert cache(client, "/list/a?page=7") == ("a7", "MISS")
        assert client.get("/list/b").status_code == 404
        assert client.get("/list/b?page=7").status_code == 404


def test_a_guard_runs_at_every_hit_of_a_variant(client: TestClient) -> None:
    member = {"cookie": "member=1"}
    for _ in range(2):
        answer = client.get("/members?page=2", headers=member)
        assert (answer.text, answer.headers["cache-control"]) == ("secret2", "private, no-store")
        assert client.get("/members?page=2").status_code == 403
    assert client.get("/members?page=", headers=member).status_code == 404


def test_a_404_of_one_value_leaves_the_others(client: TestClient) -> None:
    assert client.get("/news?page=404").status_code == 404
    assert client.get("/news?page=404").headers["cache-status"] == "asok; hit; detail=gone"
    assert cache(client, "/news?page=405") == ("405 - None", "MISS")


def test_a_flood_of_variants_is_bounded(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), pages_max=20)
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/news")
        for number in range(200):
            assert client.get(f"/news?page={number}").status_code == 200
            client.get(f"/news?page=x{number}")
        assert cache(client, "/news") == ("- - None", "HIT")
    bodies = [file for file in app.store_folder.rglob("*.html") if file.is_file()]
    assert len(bodies) <= 21


@pytest.mark.soak
def test_ten_thousand_variants_take_no_more_than_the_bound(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE), pages_max=500)
    with TestClient(app, base_url="http://localhost") as client:
        client.get("/news")
        for number in range(1_000, 11_000):
            assert client.get(f"/news?page={number}").status_code == 200
        assert cache(client, "/news") == ("- - None", "HIT")
    bodies = [file for file in app.store_folder.rglob("*.html") if file.is_file()]
    assert len(bodies) <= 501


def test_a_page_that_is_not_stored_gets_typed_values_too(client: TestClient) -> None:
    assert client.get("/live?page=7&raw=1").json() == {"page": 7, "raw": "1"}
    assert client.get("/live?page=x").status_code == 404
    assert client.post("/live?page=7").json() == {"page": 7}
    assert client.post("/live?page=x").json() == {"page": None}


READS = {
    "name": ('request.args["q"]', r"request\.args\['q'\]", 'QUERY = ("q",)'),
    "get": ('request.args.get("q")', r"request\.args\['q'\]", 'QUERY = ("q",)'),
    "in": ('"q" in request.args', r"request\.args\['q'\]", 'QUERY = ("q",)'),
    "getlist": ('request.query_params.getlist("q")', r"request\.args\['q'\]", 'QUERY = ("q",)'),
    "iterate": ("list(request.args)", "the whole query", 'QUERY = ("page",)'),
    "length": ("len(request.args)", "the whole query", 'QUERY = ("page",)'),
    "text": ("str(request.args)", "the whole query", 'QUERY = ("page",)'),
    "items": ("request.args.items()", "the whole query", 'QUERY = ("page",)'),
    "pairs": ("request.args.multi_items()", "the whole query", 'QUERY = ("page",)'),
    "keys": ("request.args.keys()", "the whole query", 'QUERY = ("page",)'),
    "values": ("request.args.values()", "the whole query", 'QUERY = ("page",)'),
    "url": ("request.url.query", r"request\.url", "component"),
}


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("how", READS)
def test_reading_what_is_not_declared_is_an_error_that_names_it(
    tmp_path: Path, how: str, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    code, message, fix = READS[how]
    page = f"SSG = True\n\ndef get(request):\n    return str({code})"
    app = load_site(write_site(tmp_path, {"src/pages/p/page.py": page}), debug=debug)
    with TestClient(app, base_url="http://localhost") as client:
        if debug:
            with pytest.raises(FrozenPageError, match=message) as caught:
                client.get("/p?q=1")
            error = caught.value
        else:
            with caplog.at_level(logging.ERROR):
                assert client.get("/p?q=1").status_code == 500
            error = next(one.exc_info[1] for one in caplog.records if one.exc_info)  # type: ignore[misc]
    assert isinstance(error, FrozenPageError)
    assert (error.file, error.line) == (tmp_path / "src/pages/p/page.py", 4)
    assert fix in str(error)
    assert "component('Name'" in str(error)
    assert "remove SSG = True" in str(error)


def test_what_is_declared_can_be_iterated(open_site: Open) -> None:
    page = """
        SSG = True
        QUERY = ("a", "b")
        def get(request):
            args = request.args
            assert repr(args).startswith("FrozenQuery(")
            return [len(args), list(args), dict(args.items()), list(args.values()), str(args),
                    args.multi_items(), args.getlist("b"), "a" in args, list(args.keys())]
        """
    client = open_site({"src/pages/page.py": page})
    found = client.get("/?c=3&b=2").json()
    assert found == [1, ["b"], {"b": "2"}, ["2"], "b=2", [["b", "2"]], ["2"], False, ["b"]]


def test_a_template_that_reads_what_is_not_declared_is_named(tmp_path: Path) -> None:
    files = {
        "src/pages/page.py": "SSG = True\ndef get(request):\n    return request.html('p.html')",
        "src/pages/p.html": "<p>\n{{ request.args.q }}</p>",
    }
    app = load_site(write_site(tmp_path, files), debug=True)
    client = TestClient(app, base_url="http://localhost")
    with pytest.raises(FrozenPageError, match=r"request\.args\['q'\]") as caught:
        client.get("/?q=1")
    assert caught.value.line == 2
    assert caught.value.file is not None
    assert caught.value.file.name == "p.html"


def test_another_worker_finds_a_variant_before_it_has_the_plain_page(tmp_path: Path) -> None:
    first: Asok = load_site(write_site(tmp_path, SITE))
    with TestClient(first, base_url="http://localhost") as client:
        assert cache(client, "/news?page=3")[1] == "MISS"
        assert cache(client, "/news?page=3")[1] == "HIT"
        assert cache(client, "/?page=3")[1] == "MISS"
    with TestClient(load_site(tmp_path), base_url="http://localhost") as client:
        assert cache(client, "/news?page=3")[1] == "HIT"
        assert cache(client, "/news?page=3")[1] == "HIT"
