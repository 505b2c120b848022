"""Regeneration on demand in a site that several processes serve: each of them sees it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.services import wait_until
from tests.site import environment, serve, write_site

WORKERS = 3
SECRET = "a-secret-of-the-content-system"

FILES = {
    "src/models/post.py": """
        from asok.models import Mapped, Model, field


        class Post(Model):
            revalidates = ("posts", "post:{slug}")

            slug: Mapped[str] = field(unique=True)
            title: Mapped[str]
        """,
    "src/pages/page.py": """
        from models.post import Post

        SSG = True
        TAGS = ("posts",)


        def get(request):
            return " ".join(post.title for post in Post.all()) or "none"
        """,
    "src/pages/blog/[slug]/page.py": """
        from models.post import Post


        def get_static_paths():
            return [{"slug": post.slug} for post in Post.all()]


        def get(request):
            slug = request.params["slug"]
            request.tag(f"post:{slug}")
            return Post.where("slug", slug).first_or_fail().title
        """,
    "src/pages/files/[name]/page.py": """
        from pathlib import Path

        from starlette.exceptions import HTTPException

        def get_static_paths():
            return []


        def get(request):
            file = Path("files") / request.params["name"]
            if not file.is_file():
                raise HTTPException(404)
            return file.read_text()
        """,
    "src/pages/pid/page.py": """
        import os


        def get(request):
            return str(os.getpid())
        """,
    "src/pages/write/page.py": """
        import asok
        from models.post import Post

        CSRF = False


        def post(request):
            slug, title = request.form["slug"], request.form["title"]
            if title == "fail":
                with Post.transaction():
                    Post.update_or_create({"title": title}, slug=slug)
                    raise ValueError(title)
            Post.update_or_create({"title": title}, slug=slug)
            return "written"


        def delete(request):
            Post.where("slug", request.form["slug"]).delete()
            return "deleted"


        def put(request):
            asok.revalidate_path(request.form["path"], block=True)
            return "revalidated"
        """,
}


class Served:
    """A served site, and one connection to each of its worker processes."""

    def __init__(
        self, root: Path, url: str, clients: list[httpx.Client], variables: dict[str, str]
    ) -> None:
        self.root = root
        self.variables = variables
        self.url = url
        self.clients = clients

    def seen(self, path: str) -> list[tuple[int, str]]:
        """What each worker answers."""
        answers = [client.get(path) for client in self.clients]
        return [(one.status_code, one.text if one.is_success else "") for one in answers]

    def soon(self, path: str, status: int, text: str = "") -> None:
        """Wait until every worker answers so; far less than a REVALIDATE, or than a 404 is
        remembered, has to be enough."""
        wait_until(
            lambda: self.seen(path) == [(status, text)] * len(self.clients),
            what=f"{path} as {status} {text!r} on every worker",
            limit=20,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "asok", *arguments],
            cwd=self.root,
            env=environment(**self.variables),
            capture_output=True,
            text=True,
            check=False,
        )


def connections(url: str, stack: ExitStack) -> list[httpx.Client]:
    """One kept connection to each worker: who answered the first request answers them all."""
    found: dict[str, httpx.Client] = {}

    def more() -> bool:
        client = stack.enter_context(httpx.Client(base_url=url, timeout=30))
        found.setdefault(client.get("/pid").text, client)
        return len(found) == WORKERS

    wait_until(more, what=f"an answer of each of {WORKERS} workers")
    return list(found.values())


@pytest.fixture(scope="module", params=["disk", "redis"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Served]:
    """The site by its workers, with each of the stores."""
    variables = {"ASOK_PAGES_BACKEND": request.param, "ASOK_REVALIDATE_SECRET": SECRET}
    if request.param == "redis":
        variables["REDIS_URL"] = request.getfixturevalue("redis_url")
    root = write_site(tmp_path_factory.mktemp("site"), FILES)
    with sqlite3.connect(root / "db.sqlite3") as database:
        database.execute(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, slug VARCHAR UNIQUE, title VARCHAR)"
        )
        database.execute("INSERT INTO posts (slug, title) VALUES ('first', 'First')")
    database.close()
    (root / "files").mkdir()
    built = subprocess.run(
        [sys.executable, "-m", "asok", "build"],
        cwd=root,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    with ExitStack() as stack:
        url = stack.enter_context(serve(root, "--workers", str(WORKERS), port=None, **variables))
        yield Served(root, url, connections(url, stack), variables)


def test_a_committed_write_of_a_model_renews_the_pages_of_its_tags(site: Served) -> None:
    writer = site.clients[0]
    site.soon("/", 200, "First")
    site.soon("/blog/first", 200, "First")
    assert writer.post("/write", data={"slug": "first", "title": "Changed"}).text == "written"
    site.soon("/", 200, "Changed")
    site.soon("/blog/first", 200, "Changed")
    # What is rolled back changes nothing.
    assert writer.post("/write", data={"slug": "first", "title": "fail"}).status_code == 500
    assert site.seen("/") == [(200, "Changed")] * WORKERS


def test_a_post_that_is_published_is_no_longer_missing_and_a_deleted_one_is(site: Served) -> None:
    writer = site.clients[-1]
    site.soon("/blog/new", 404)
    writer.post("/write", data={"slug": "new", "title": "New"})
    site.soon("/blog/new", 200, "New")
    writer.request("DELETE", "/write", data={"slug": "new"})
    site.soon("/blog/new", 404)


@pytest.mark.parametrize("way", ["function", "command", "webhook"])
def test_a_missing_page_appears_on_every_worker_when_its_path_is_revalidated(
    site: Served, way: str
) -> None:
    path = f"/files/{way}"

    def function() -> None:
        assert site.clients[0].put("/write", data={"path": path}).text == "revalidated"

    def command() -> None:
        done = site.command("revalidate", path, "--block")
        assert (done.returncode, done.stderr) == (0, "")

    def webhook() -> None:
        answer = site.clients[0].post(
            "/asok/revalidate",
            json={"paths": [path], "block": True},
            headers={"authorization": f"Bearer {SECRET}"},
        )
        assert answer.json() == {"revalidated": {"paths": [path], "tags": []}, "block": True}

    revalidate: Callable[[], None] = {
        "function": function,
        "command": command,
        "webhook": webhook,
    }[way]
    site.soon(path, 404)
    (site.root / f"files/{way}").write_text("one")
    assert site.seen(path) == [(404, "")] * WORKERS, "remembered"
    revalidate()
    site.soon(path, 200, "one")
    (site.root / f"files/{way}").write_text("two")
    assert site.seen(path) == [(200, "one")] * WORKERS, "stored"
    revalidate()
    site.soon(path, 200, "two")


def test_a_tag_is_revalidated_by_a_command_in_another_process(site: Served) -> None:
    with sqlite3.connect(site.root / "db.sqlite3") as database:
        titles = [title for (title,) in database.execute("SELECT title FROM posts ORDER BY id")]
        site.soon("/", 200, " ".join(titles))
        database.execute("INSERT INTO posts (slug, title) VALUES ('raw', 'Raw')")
    database.close()
    assert all("Raw" not in text for _, text in site.seen("/"))
    done = site.command("revalidate", "--tag", "posts")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: all("Raw" in text for _, text in site.seen("/")), what="the new post")


def test_the_command_shows_what_the_workers_stored(site: Served) -> None:
    site.soon("/blog/first", 200, site.clients[0].get("/blog/first").text)
    done = site.command("pages", "/blog/first")
    assert done.returncode == 0, done.stderr
    assert "/blog/first" in done.stdout
    assert "fresh" in done.stdout
    assert "listed" in done.stdout
