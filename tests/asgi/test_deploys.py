"""A deploy over a preserved `.asok/`: no page is cold, nothing old is in the way, assets work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient
from tests.site import environment, load_site, write_site

POST = """
from pathlib import Path
SSG = True
FALLBACK = "{fallback}"
TAGS = ("posts",)
def get_static_paths():
    return [{{"slug": slug}} for slug in {listed!r}]
def get(request):
    return request.html("page.html", slug=request.params["slug"])
"""
PAGE = """<link rel="stylesheet" href="{{{{ static('css/base.css') }}}}">
<script>window.old = 1</script><p>{{{{ slug }}}} by {version}</p>
"""


def write(root: Path, version: str, *, listed: tuple[str, ...], fallback: str = "generate") -> None:
    write_site(
        root,
        {
            "src/pages/blog/[slug]/page.py": POST.format(fallback=fallback, listed=listed),
            "src/pages/blog/[slug]/page.html": PAGE.format(version=version),
            "src/partials/css/base.css": f"p {{ --version: '{version}' }}\n",
        },
    )


def build(root: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "asok", "build"],
        cwd=root,
        env=environment(),
        check=True,
        capture_output=True,
    )


@contextmanager
def started(root: Path) -> Generator[TestClient]:
    for name in [name for name in sys.modules if name.startswith("src.")]:
        del sys.modules[name]  # as a new process
    app = load_site(root)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def drain(client: TestClient) -> None:
    assert client.app.pages.regenerator.drain()  # type: ignore[attr-defined]


def read(client: TestClient, path: str) -> tuple[int, str, str]:
    answer = client.get(path)
    found = re.search(r"<p>(.*)</p>", answer.text)
    return (
        answer.status_code,
        answer.headers.get("x-asok-ssg-cache", ""),
        found[1] if found else "",
    )


def stylesheet(client: TestClient, path: str) -> tuple[str, str]:
    """Get a page once: how it was found, and the stylesheet that it links to."""
    answer = client.get(path)
    found = re.search(r'href="([^"]+)"', answer.text)
    assert found is not None
    return answer.headers["x-asok-ssg-cache"], client.get(found[1]).text


def test_half_a_template_of_the_next_release_is_never_a_page(tmp_path: Path) -> None:
    write_site(
        tmp_path,
        {
            "src/pages/page.html": "{% include 'html/part.html' %}",
            "src/partials/html/part.html": "{{ request.path }} whole",
            "src/pages/wrong/page.html": "{% if %}",
        },
    )
    with TestClient(load_site(tmp_path), raise_server_exceptions=False) as client:
        for name in ("pages/page.html", "partials/html/part.html"):
            (tmp_path / "src" / name).write_text("")  # a deploy has begun to write the next one
        assert client.get("/").text == "/ whole"
        assert client.get("/wrong").status_code == 500


def test_pages_made_by_the_old_code_are_stale_and_then_made_anew(tmp_path: Path) -> None:
    write(tmp_path, "one", listed=("listed", "delisted"))
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/listed") == (200, "HIT", "listed by one")
        assert read(client, "/blog/made") == (200, "MISS", "made by one")
        assert read(client, "/blog/made") == (200, "HIT", "made by one")
        assert read(client, "/blog/idle") == (200, "MISS", "idle by one")
    write(tmp_path, "two", listed=("listed",))
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/listed") == (200, "HIT", "listed by two")
        assert read(client, "/blog/made") == (200, "STALE", "made by one")
        drain(client)
        assert read(client, "/blog/made") == (200, "HIT", "made by two")
        # What the last build listed and this one doesn't is not served from anywhere.
        assert read(client, "/blog/delisted") == (200, "MISS", "delisted by two")
        # The assets of the old pages are still there, as they were.
        assert stylesheet(client, "/blog/idle") == ("STALE", "p{--version:'one'}")
        assert stylesheet(client, "/blog/listed") == ("HIT", "p{--version:'two'}")
    # A second deploy before anybody asked again: still not cold, still with its assets.
    write(tmp_path, "three", listed=("listed",))
    build(tmp_path)
    with started(tmp_path) as client:
        assert stylesheet(client, "/blog/made") == ("STALE", "p{--version:'two'}")


def test_a_refused_or_removed_page_does_not_come_back(tmp_path: Path) -> None:
    write(tmp_path, "one", listed=("listed",))
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/made")[0] == 200
    write(tmp_path, "two", listed=("listed",), fallback="404")
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/listed") == (200, "HIT", "listed by two")
        assert client.get("/blog/made").status_code == 404
    page = tmp_path / "src/pages/blog/[slug]"
    target = tmp_path / "src/pages/notes/[slug]"
    target.parent.mkdir()
    os.rename(page, target)
    build(tmp_path)
    with started(tmp_path) as client:
        assert client.get("/blog/made").status_code == 404
        assert client.get("/blog/listed").status_code == 404
        assert read(client, "/notes/listed") == (200, "HIT", "listed by two")


def test_another_page_for_the_same_path_is_not_answered_by_the_old_one(tmp_path: Path) -> None:
    write(tmp_path, "one", listed=("listed",))
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/made")[0] == 200
    write_site(
        tmp_path,
        {"src/pages/blog/made/page.py": "SSG = True\ndef get(request):\n    return '<p>own</p>'\n"},
    )
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/made") == (200, "HIT", "own")


def test_an_invalidation_between_two_deploys_is_not_lost(tmp_path: Path) -> None:
    write(tmp_path, "one", listed=("listed",))
    build(tmp_path)
    with started(tmp_path) as client:
        assert read(client, "/blog/made")[0] == 200
        client.app.store.invalidate_tag("posts", 0.0, block=True)  # type: ignore[attr-defined]
    # New code without a build of its own: the release is the old one's.
    write(tmp_path, "two", listed=("listed",))
    with started(tmp_path) as client:
        assert read(client, "/blog/made") == (200, "MISS", "made by two")
        assert read(client, "/blog/listed") == (200, "MISS", "listed by two")
