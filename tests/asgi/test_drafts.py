"""Draft mode: an editor sees what is not published, and nobody else ever does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import KEY, load_site, write_site

from asok import Asok
from asok.asgi.drafts import MAX_AGE, Drafts
from asok.errors import FrozenPageError
from asok.signing import Keys

from .conftest import Open

SITE = {
    "src/pages/draft/page.py": """
        CSRF = False
        def get(request):
            return {"draft": request.draft}
        def post(request):
            if request.form.get("secret") != "s3cret":
                return "no", 403
            request.enable_draft()
            assert request.draft
            return request.redirect("/post/a")
        def delete(request):
            request.disable_draft()
            return "over"
        """,
    "src/pages/post/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        QUERY = ("page",)
        def get_static_paths():
            return []
        def get(request):
            if request.params["slug"] == "hidden" and not request.draft:
                request.abort(404)
            return request.html("post.html", draft=request.draft)
        """,
    "src/pages/post/[slug]/post.html": (
        "<p>{{ 'draft' if draft else 'public' }}</p>"
        "{% cache 'part' %}<i>{{ 'new' if draft else 'old' }}</i>{% endcache %}"
        "<script>1</script><form method='post' action='/draft'></form>"
    ),
    "src/pages/listed/[slug]/page.py": """
        SSG = True
        FALLBACK = "404"
        def get_static_paths():
            return [{"slug": "a"}]
        def get(request):
            return "draft" if request.draft else "public"
        """,
    "src/pages/cached/page.py": """
        from asok.cache import cache_page
        @cache_page(ttl=60)
        def get(request):
            return "draft" if request.draft else "public"
        """,
    "src/pages/shared/page.py": """
        def get(request):
            headers = {"cache-control": "public, max-age=60", "etag": '"1"'}
            return "draft" if request.draft else "public", 200, headers
        """,
    "src/pages/members/page.py": """
        SSG = True
        GUARDS = (lambda request: None if request.cookies.get("member") else ("no", 403),)
        def get(request):
            return "draft" if request.draft else "public"
        """,
}


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


def begin(client: TestClient) -> str:
    answer = client.post("/draft", data={"secret": "s3cret"})
    assert answer.status_code == 303
    return answer.headers["set-cookie"]


def files_of(root: Path) -> str:
    stored = [file for file in (root / ".asok").rglob("*") if file.is_file()]
    return "".join(file.read_bytes().decode("latin-1") for file in stored)


@pytest.mark.parametrize("debug", [True, False])
def test_an_editor_passes_by_the_stores_and_leaves_nothing_there(
    open_site: Open, debug: bool, tmp_path: Path
) -> None:
    client = open_site(SITE, debug=debug)
    begin(client)
    for _ in range(2):
        answer = client.get("/post/a")
        assert "<p>draft</p><i>new</i>" in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-asok-ssg-cache"] == "BYPASS"
        assert answer.headers["cache-status"] == "asok; fwd=bypass; detail=draft"
        assert "etag" not in answer.headers
        assert f"'nonce-{answer.text.split('nonce=')[1][1:23]}'" in str(answer.headers)
    assert client.get("/post/hidden").status_code == 200
    assert "<p>draft" not in files_of(tmp_path)
    client.cookies.clear()
    assert "<p>public</p><i>old</i>" in client.get("/post/a").text
    assert client.get("/post/hidden").status_code == 404
    assert client.get("/post/a").headers["x-asok-ssg-cache"] == ("BYPASS" if debug else "HIT")
    begin(client)
    assert "<p>draft</p><i>new</i>" in client.get("/post/a").text  # also where it is stored
    assert "<p>draft" in client.get("/post/a?page=2").text
    assert client.head("/post/a").headers["x-asok-ssg-cache"] == "BYPASS"


def test_draft_mode_ends_when_it_is_disabled(client: TestClient) -> None:
    begin(client)
    assert client.get("/draft").json() == {"draft": True}
    over = client.delete("/draft").headers["set-cookie"]
    assert over == "asok-draft=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
    assert client.get("/draft").json() == {"draft": False}
    assert "public" in client.get("/post/a").text


def test_the_cookie_is_safe_and_ends_with_the_browser(app: Asok) -> None:
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        plain = begin(client)
    assert plain.startswith("asok-draft=")
    assert plain.endswith("; Path=/; HttpOnly; SameSite=Lax")
    with TestClient(app, base_url="https://localhost", follow_redirects=False) as client:
        secure = begin(client)
        assert client.get("/draft").json() == {"draft": True}
        name, _, rest = secure.partition("=")
        value = rest.partition(";")[0]
        client.cookies.clear()
        # That of http is none of https.
        headers = {"cookie": f"asok-draft={value}"}
        assert client.get("/draft", headers=headers).json() == {"draft": False}
    assert name == "__Host-asok-draft"
    assert secure.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert "Max-Age" not in secure
    assert "Expires" not in secure


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, SITE))


def test_a_made_up_cookie_is_worth_nothing(client: TestClient) -> None:
    client.get("/post/a")
    good = Drafts(Keys([KEY])).header(True, False)[1].decode().partition(";")[0]
    assert client.get("/draft", headers={"cookie": good}).json() == {"draft": True}
    other = Drafts(Keys(["x" * 32])).header(True, False)[1].decode().partition(";")[0]
    swapped = f"asok-draft={Keys([KEY]).purpose('other').sign(b'x')}"
    for text in ("asok-draft=1", "asok-draft=", f"{good}x", other, swapped, f"={good}"):
        answer = client.get("/post/a", headers={"cookie": text})
        assert "<p>public" in answer.text
        assert answer.headers["x-asok-ssg-cache"] == "HIT"


def test_the_cookie_is_too_old_after_a_working_day(monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = Drafts(Keys([KEY]))
    name, text = drafts.header(True, True)
    assert name == b"set-cookie"
    cookie = [(b"cookie", text.partition(b";")[0])]
    assert drafts.of(cookie, True).active
    assert not drafts.of(cookie, False).active
    later = time.time() + MAX_AGE + 2
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert not drafts.of(cookie, True).active


def test_a_draft_reaches_pages_that_no_build_lists(tmp_path: Path) -> None:
    load_site(write_site(tmp_path, SITE)).freeze()
    app = load_site(tmp_path)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        assert client.get("/listed/b").status_code == 404
        begin(client)
        assert client.get("/listed/b").text == "draft"
        assert client.get("/listed/a").text == "draft"
        client.cookies.clear()
        assert client.get("/listed/b").status_code == 404
        assert client.get("/listed/a").text == "public"


def test_pages_that_are_no_static_ones_are_private_too(client: TestClient) -> None:
    assert client.get("/cached").text == "public"
    begin(client)
    assert client.get("/cached").text == "draft"
    shared = client.get("/shared")
    assert shared.text == "draft"
    assert shared.headers["cache-control"] == "private, no-store"
    assert "etag" not in shared.headers
    client.cookies.clear()
    assert client.get("/cached").text == "public"
    assert client.get("/shared").headers["cache-control"] == "public, max-age=60"


def test_a_guard_is_asked_in_draft_mode_too(client: TestClient) -> None:
    begin(client)
    assert client.get("/members").status_code == 403
    client.cookies.set("member", "1", domain="localhost.local")
    assert client.get("/members").text == "draft"


def test_a_build_never_renders_drafts_and_a_page_can_not_begin_them(tmp_path: Path) -> None:
    for name in ("enable_draft", "disable_draft"):
        page = f"SSG = True\n\ndef get(request):\n    request.{name}()\n    return 'x'"
        root = write_site(tmp_path / name, {"src/pages/a/page.py": page})
        with (
            TestClient(load_site(root, debug=True), base_url="http://localhost") as client,
            pytest.raises(FrozenPageError, match=rf"request\.{name}\(\)") as caught,
        ):
            client.get("/a")
        assert caught.value.line == 4


def test_a_draft_and_a_public_miss_at_the_same_time_are_apart(tmp_path: Path) -> None:
    page = """
        import threading
        SSG = True
        both = threading.Barrier(2, timeout=20)
        def get(request):
            if request.params["slug"] == "slow":
                both.wait()  # neither goes on before the other one is here
            return request.html("a.html", draft=request.draft)
        """
    files = {
        **SITE,
        "src/pages/race/[slug]/page.py": page,
        "src/pages/race/[slug]/a.html": "{{ 'draft' if draft else 'public' }}"
        "{% cache 'race' %}{{ 'draft' if draft else 'public' }}{% endcache %}",
    }
    app = load_site(write_site(tmp_path, files))
    answers: dict[str, str] = {}
    with (
        TestClient(app, base_url="http://localhost", follow_redirects=False) as editor,
        TestClient(app, base_url="http://localhost") as visitor,
    ):
        begin(editor)

        def ask(name: str, client: TestClient) -> None:
            answers[name] = client.get("/race/slow").text

        threads = [
            threading.Thread(target=ask, args=("editor", editor)),
            threading.Thread(target=ask, args=("visitor", visitor)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {"editor": "draftdraft", "visitor": "publicpublic"}
        assert visitor.get("/race/slow").text == "publicpublic"
        assert visitor.get("/race/slow").headers["x-asok-ssg-cache"] == "HIT"
    assert "draftdraft" not in files_of(tmp_path)
