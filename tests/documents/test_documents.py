"""A site made from the documents' own code, built and served as they say."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.site import environment, serve, write_site

COUNTER = """
# src/components/Counter.py
from asok import Component
from asok.component import exposed
class Counter(Component):
    count = 0
    @exposed
    def increment(self):
        self.count += 1
    def render(self):
        return self.html("counter.html")
"""

SITE = {
    # SSG & ISR
    "src/pages/about/page.py": """
        # src/pages/about/page.py
        SSG = True
        def get(request):
            # This page will only render once during `asok build`
            return request.html("about.html")
        """,
    "src/pages/about/about.html": """
        {% extends "html/base.html" %}
        {% block main %}<h1>About</h1>{% endblock %}
        """,
    "src/pages/blog/[slug]/page.py": """
        # src/pages/blog/[slug]/page.py
        from src.models import Post
        SSG = True
        REVALIDATE = 3600 # Regenerate in the background at most once per hour
        def get_static_paths():
            return [{"slug": post.slug} for post in Post.all()]
        def get(request):
            slug = request.params["slug"]
            post = Post.where("slug", slug).first()
            return request.html("post.html", post=post)
        """,
    "src/pages/blog/[slug]/post.html": """
        {% extends "html/base.html" %}
        {% block main %}<h1>{{ post.title }}</h1>
        <form method="post" action="/form"><button>Like</button></form>
        <script>document.title = "script ran"</script>
        {{ component('Counter', count=10, client='load') }}{% endblock %}
        """,
    "src/pages/form/page.py": """
        def post(request):
            return "thanks"
        """,
    "src/models/post.py": """
        from asok import Model
        from asok.models import Mapped, field
        class Post(Model):
            slug: Mapped[str] = field(unique=True)
            title: Mapped[str]
            views: Mapped[int] = field(default=0)
        """,
    # Reactive components
    "src/components/Counter.py": COUNTER,
    "src/components/counter.html": """
        <div>
        <h3>Count: {{ count }}</h3>
        <button ws-click="increment">Add 1</button>
        </div>
        """,
    "src/components/Shared.py": """
        from asok import Component
        from asok.component import exposed
        class Shared(Component):
            shown = 0
            @exposed
            def increment(self):
                self.session["pcount"] = self.session.get("pcount", 0) + 1
                # Required to persist changes back to the store
                self.session.modified = True
                self.shown = self.session["pcount"]
            def _internal_calculation(self):
                return self.shown * 2
        """,
    "src/components/shared.html": """
        <p>Shared: {{ shown }}</p><button ws-click="increment">Share</button>
        """,
    "src/pages/counter/page.html": """
        {% extends "html/base.html" %}
        {% block main %}
        <h1>Welcome</h1>
        {{ component('Counter', count=10) }}
        {{ component('Shared', client='idle') }}
        <p>pcount: {{ request.session.get("pcount", 0) }}</p>
        {% endblock %}
        """,
    "src/pages/visible/page.py": """
        SSG = True
        """,
    "src/pages/visible/page.html": """
        {% extends "html/base.html" %}
        {% block main %}
        <style>.space { height: 3000px }</style><div class="space"></div>
        {{ component('Counter', client='visible') }}
        {% endblock %}
        """,
    # Caching
    "src/pages/menu/page.py": """
        calls = []
        def get_categories():
            calls.append(1)
            return [{"name": f"category {len(calls)}"}]
        def get(request):
            return request.html("menu.html", get_categories=get_categories)
        """,
    "src/pages/menu/menu.html": """
        {% cache "sidebar_categories" 3600 %}
        <!-- This loop and any queries inside it are only executed once per hour! -->
        <ul>
        {% for cat in get_categories() %}
        <li>{{ cat.name }}</li>
        {% endfor %}
        </ul>
        {% endcache %}
        """,
    "src/pages/dashboard/page.py": """
        from asok.cache import cache_page
        import time
        @cache_page(ttl=60) # Caches the response for 60 seconds
        def render(request):
            time.sleep(0.2) # Simulating heavy computation
            return request.html("dashboard.asok", now=time.time())
        """,
    "src/pages/dashboard/dashboard.asok": "<p>{{ now }}</p>",
    "src/pages/popular/page.py": """
        from models.post import Post
        def get_popular_posts():
            # Only hits the SQLite database once every 5 minutes
            posts = Post.query().order_by('-views').limit(10).cache(ttl=300).get()
            return [p.to_dict() for p in posts]
        def get(request):
            from src.models import Post as Other
            assert Other is Post
            return get_popular_posts()
        """,
    "src/pages/manual/page.py": """
        from asok.cache import Cache
        def fetch_slow_api():
            return {"answer": 42}
        def get(request):
            # You can instantiate your own custom cache instance
            cache = Cache(backend='file', path='.my_custom_cache')
            cache.set('key', 'value', ttl=300)
            first = cache.get('key', default='missing')
            had = cache.has('key') # True/False
            cache.forget('key')
            after = cache.get('key', default='missing')
            data = cache.remember('api_data', ttl=60, fn=fetch_slow_api)
            cache.flush() # Clear all
            return {"first": first, "had": had, "after": after, "data": data,
                    "flushed": cache.has('api_data')}
        """,
    "src/pages/page.html": "<h1>Home</h1>",
}

SEED = """
from wsgi import app
from asok.models import configured_database
from src.models import Post
configured_database().create_tables()
for slug, title, views in (("first", "First post", 1), ("second", "Second <post>", 5)):
    Post.create(slug=slug, title=title, views=views)
"""


def run(root: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_site(tmp_path_factory.mktemp("documents"), SITE)
    run(root, "-c", SEED)
    run(root, "-m", "asok", "build")
    return root


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with serve(site) as base:
        yield base


def test_built_pages_are_hits_and_readable_in_the_cache(site: Path, url: str) -> None:
    for path in ("/about", "/blog/first", "/blog/second"):
        answer = httpx.get(url + path)
        assert answer.status_code == 200
        assert answer.headers["x-asok-ssg-cache"] == "HIT"
    stored = [path.read_text() for path in (site / ".asok/ssg_cache").rglob("*.html")]
    assert any("<h1>First post</h1>" in text for text in stored)
    assert any("Second &lt;post&gt;" in text for text in stored)


def test_stored_pages_hold_no_token_and_no_nonce(site: Path, url: str) -> None:
    first, second = httpx.get(url + "/blog/first"), httpx.get(url + "/blog/first")
    for answer in (first, second):
        nonce = answer.text.partition('nonce="')[2].partition('"')[0]
        assert len(nonce) == 22
        assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
        token = answer.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        assert len(token) == 86
        assert answer.headers["cache-control"] == "private, no-cache"
        for path in (site / ".asok").rglob("*"):
            if path.is_file():
                assert nonce.encode() not in path.read_bytes()
                assert token.encode() not in path.read_bytes()
    assert first.text != second.text


def test_a_form_of_a_stored_page_is_accepted(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        page = client.get("/blog/first").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        assert client.post("/form", data={"csrf_token": token}).text == "thanks"
        assert client.post("/form").status_code == 403


def test_a_new_post_is_generated_on_demand(site: Path, url: str) -> None:
    run(
        site,
        "-c",
        "from wsgi import app; from src.models import Post; "
        "Post.create(slug='third', title='Third', views=0)",
    )
    assert httpx.get(url + "/blog/third").headers["x-asok-ssg-cache"] == "MISS"
    again = httpx.get(url + "/blog/third")
    assert again.headers["x-asok-ssg-cache"] == "HIT"
    assert "<h1>Third</h1>" in again.text


def test_fragments_pages_queries_and_values_are_cached(url: str) -> None:
    menus = {httpx.get(url + "/menu").text for _ in range(3)}
    assert len(menus) == 1
    assert "category 1" in menus.pop()
    first = httpx.get(url + "/dashboard").text
    assert httpx.get(url + "/dashboard").text == first
    assert first.startswith("<p>1")
    posts = httpx.get(url + "/popular").json()
    assert [post["slug"] for post in posts][:2] == ["second", "first"]
    assert httpx.get(url + "/manual").json() == {
        "first": "value",
        "had": True,
        "after": "missing",
        "data": {"answer": 42},
        "flushed": False,
    }


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def test_a_counter_counts_and_survives_reload_navigation_and_back(tab: Page, url: str) -> None:
    tab.goto(url + "/counter")
    expect(tab.get_by_text("Count: 10")).to_be_visible()
    tab.get_by_role("button", name="Add 1").click()
    expect(tab.get_by_text("Count: 11")).to_be_visible()
    tab.get_by_role("button", name="Add 1").click()
    expect(tab.get_by_text("Count: 12")).to_be_visible()
    tab.reload()
    expect(tab.get_by_text("Count: 12")).to_be_visible()
    tab.goto(url + "/about")
    tab.goto(url + "/counter")
    expect(tab.get_by_text("Count: 12")).to_be_visible()
    tab.go_back()
    tab.go_forward()
    expect(tab.get_by_text("Count: 12")).to_be_visible()
    tab.get_by_role("button", name="Add 1").click()
    expect(tab.get_by_text("Count: 13")).to_be_visible()


def test_a_component_shares_the_visitors_session(tab: Page, url: str) -> None:
    tab.goto(url + "/counter")
    tab.get_by_role("button", name="Share").click()
    expect(tab.get_by_text("Shared: 1")).to_be_visible()
    tab.reload()
    expect(tab.get_by_text("pcount: 1")).to_be_visible()
    expect(tab.get_by_text("Shared: 1")).to_be_visible()


def test_an_island_on_a_frozen_page_comes_alive(tab: Page, url: str) -> None:
    tab.goto(url + "/blog/first")
    expect(tab).to_have_title("script ran")
    expect(tab.get_by_text("Count: 10")).to_be_visible()
    tab.get_by_role("button", name="Add 1").click()
    expect(tab.get_by_text("Count: 11")).to_be_visible()
    tab.reload()
    expect(tab.get_by_text("Count: 11")).to_be_visible()


def test_a_visible_island_opens_no_socket_before_it_is_seen(tab: Page, url: str) -> None:
    sockets: list[str] = []
    tab.on("websocket", lambda socket: sockets.append(socket.url))
    tab.goto(url + "/visible")
    time.sleep(0.5)
    assert sockets == []
    tab.get_by_role("button", name="Add 1").scroll_into_view_if_needed()
    tab.get_by_role("button", name="Add 1").click()
    expect(tab.get_by_text("Count: 1")).to_be_visible()
    assert len(sockets) == 1
    assert sockets[0].endswith("/asok/live")


def test_the_state_survives_a_restart_of_the_server(tab: Page, site: Path) -> None:
    with serve(site) as first:
        tab.goto(first + "/counter")
        tab.get_by_role("button", name="Add 1").click()
        expect(tab.get_by_text("Count: 11")).to_be_visible()
        port = int(first.rpartition(":")[2])
    with serve(site, port=port):
        tab.reload()
        expect(tab.get_by_text("Count: 11")).to_be_visible()
