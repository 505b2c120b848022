"""The life of a static page over HTTP: what is stored, how it ages, and what never is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from asok.pages import DiskStore

from .conftest import Open

Age = Callable[[float], None]

PAGE = """
from pathlib import Path
SSG = True
REVALIDATE = 10
EXPIRE = 100
CALLS = Path(__file__).parent / "calls"
def get(request):
    with CALLS.open("a") as file:
        file.write("x")
    text = CALLS.with_name("text").read_text()
    if text == "fail":
        raise ValueError("the source is down")
    return text
"""


def answer(client: TestClient, path: str = "/page") -> tuple[int, str, str]:
    got = client.get(path)
    return got.status_code, got.headers.get("x-asok-ssg-cache", ""), got.text


def drain(client: TestClient) -> None:
    assert client.app.pages.regenerator.drain()  # type: ignore[attr-defined]


def store(client: TestClient) -> DiskStore:
    return client.app.store  # type: ignore[attr-defined]


def grow(client: TestClient, seconds: float, path: str = "/page") -> None:
    """Make the stored page older, as if it had been rendered before."""
    page = store(client).get(path)
    assert page is not None
    at = page.rendered_at - seconds
    assert store(client).put(dataclasses.replace(page, rendered_at=at, moment=at))


def test_fresh_stale_and_expired(open_site: Open, tmp_path: Path) -> None:
    folder = tmp_path / "src/pages/page"
    client = open_site({"src/pages/page/page.py": PAGE, "src/pages/page/text": "one"})
    assert answer(client) == (200, "MISS", "one")
    (folder / "text").write_text("two")
    assert answer(client) == (200, "HIT", "one")
    grow(client, 50)
    stale = client.get("/page")
    assert (stale.headers["x-asok-ssg-cache"], stale.text) == ("STALE", "one")
    assert "s-maxage=1," in stale.headers["cache-control"]
    assert "stale-while-revalidate=90" in stale.headers["cache-control"]
    drain(client)
    assert answer(client) == (200, "HIT", "two")
    # Older than EXPIRE: the visitor waits for the new one.
    (folder / "text").write_text("three")
    grow(client, 500)
    assert answer(client) == (200, "MISS", "three")
    # Where there is none to be had, the last good page is better than an error page …
    (folder / "text").write_text("fail")
    grow(client, 500)
    assert answer(client) == (200, "STALE", "three")
    calls = len((folder / "calls").read_text())
    # … and the source is left alone for a while.
    assert {answer(client) for _ in range(5)} == {(200, "STALE", "three")}
    drain(client)
    assert len((folder / "calls").read_text()) == calls


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_is_stored_as_a_redirect(open_site: Open, tmp_path: Path, status: int) -> None:
    source = f"SSG = True\ndef get(request):\n    return request.redirect('/new', {status})\n"
    client = open_site({"src/pages/page/page.py": source, "src/pages/new/page.html": "new"})
    for cache in ("MISS", "HIT", "HIT"):
        got = client.get("/page")
        assert (got.status_code, got.headers["location"]) == (status, "/new")
        assert got.headers["x-asok-ssg-cache"] == cache
    kept = store(client).get("/page")
    assert kept is not None
    assert kept.status == status
    client.app.freeze(workers=1)  # type: ignore[attr-defined]
    built = DiskStore(store(client).folder).get("/page")
    assert built is not None
    assert (built.status, dict(built.headers)["location"]) == (status, "/new")


NEVER = {
    "303": "return request.redirect('/new')",
    "302": "return request.redirect('/new', 302)",
    "500": "return 'sorry', 500",
    "503": "return 'later', 503, {'retry-after': '5'}",
    "403": "return 'no', 403",
    "cookie": "return 'x', 200, {'set-cookie': 'a=b'}",
    "raises": "raise ValueError('no')",
    "varies": "return 'x', 200, {'vary': '*'}",
}


@pytest.mark.parametrize("body", NEVER.values(), ids=NEVER)
def test_what_is_never_stored(open_site: Open, body: str) -> None:
    source = f"SSG = True\ndef get(request):\n    {body}\n"
    client = open_site({"src/pages/page/page.py": source})
    first, second = client.get("/page"), client.get("/page")
    assert first.status_code == second.status_code
    assert "HIT" not in (
        first.headers.get("x-asok-ssg-cache"),
        second.headers.get("x-asok-ssg-cache"),
    )
    assert store(client).get("/page") is None
    assert list(store(client).paths()) == []


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_stream_that_breaks_off_is_no_page(open_site: Open, tmp_path: Path, kind: str) -> None:
    source = f"""
        from pathlib import Path
        SSG = True
        {kind} get(request):
            yield "<p>begun"
            if Path(__file__).with_name("broken").exists():
                raise ValueError("in the middle")
            yield "</p>"
        """
    client = open_site({"src/pages/page/page.py": source, "src/pages/page/broken": ""})
    broken = client.get("/page")
    assert broken.status_code == 500
    assert "begun" not in broken.text
    assert store(client).get("/page") is None
    (tmp_path / "src/pages/page/broken").unlink()
    assert answer(client) == (200, "MISS", "<p>begun</p>")
    assert answer(client) == (200, "HIT", "<p>begun</p>")


def test_a_missing_page_is_remembered_in_memory_only(open_site: Open, tmp_path: Path) -> None:
    source = """
        from pathlib import Path
        SSG = True
        def get_static_paths():
            return []
        def get(request):
            here = Path(__file__).parent
            with (here / "calls").open("a") as file:
                file.write("x")
            if not (here / request.params["slug"]).exists():
                request.abort(404)
            return request.params["slug"]
        """
    client = open_site({"src/pages/a/[slug]/page.py": source})
    folder = tmp_path / "src/pages/a/[slug]"
    for _ in range(5):
        assert client.get("/a/later").status_code == 404
    assert (folder / "calls").read_text() == "x"
    assert not list((tmp_path / ".asok/ssg_cache").rglob("*.json"))
    (folder / "later").touch()
    store(client).invalidate_tag("\0route:/a/[slug]", 0.0, block=True)
    assert answer(client, "/a/later") == (200, "MISS", "later")


def test_only_listed_paths_before_and_after_a_build(open_site: Open, tmp_path: Path) -> None:
    source = """
        from pathlib import Path
        SSG = True
        FALLBACK = "404"
        def get_static_paths():
            with Path(__file__).with_name("asked").open("a") as file:
                file.write("x")
            return [{"slug": "first"}]
        def get(request):
            return request.params["slug"]
        """
    client = open_site({"src/pages/a/[slug]/page.py": source})
    for _ in range(5):
        assert client.get("/a/other").status_code == 404
        assert client.get("/a/first").text == "first"
    assert (tmp_path / "src/pages/a/[slug]/asked").read_text() == "x"
