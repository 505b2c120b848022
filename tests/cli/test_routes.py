from __future__ import annotations

import json
from pathlib import Path

import pytest

from asok.cli.listing import seconds

from .conftest import Run


@pytest.fixture(autouse=True)
def inside(blog: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(blog)


def test_every_page_is_listed_with_how_it_is_made(run: Run) -> None:
    lines = [line.split("  ") for line in run("routes").output.splitlines()]
    rows = {line[0]: [cell.strip() for cell in line if cell.strip()] for line in lines}
    assert rows["/"][1:] == ["isr 1 min, live", "GET", "src/pages/page.py"]
    assert rows["/blog/[slug]"][1:3] == ["isr 1 h", "GET"]
    assert rows["/contact"][1:] == ["dynamic", "GET POST", "src/pages/contact/page.py"]


def test_json_is_for_programs(run: Run) -> None:
    found = {one["pattern"]: one for one in json.loads(run("routes", "--json").output)}
    assert found["/blog/[slug]"] == {
        "pattern": "/blog/[slug]",
        "mode": "isr",
        "live": False,
        "methods": ["GET"],
        "file": "src/pages/blog/[slug]/page.py",
        "revalidate": 3600.0,
        "guarded": False,
    }


def test_match_says_which_page_answers_and_with_what(run: Run) -> None:
    result = run("routes", "--match", "https://example.org/blog/hello%20you?x=1")
    assert result.exit_code == 0
    assert "/blog/hello you is answered by /blog/[slug]" in result.output
    assert "slug = 'hello you'  (text)" in result.output


def test_match_names_the_pages_that_come_after(run: Run, blog: Path) -> None:
    for name in ("[id:int]", "[...rest]"):
        folder = blog / "src/pages/blog" / name
        folder.mkdir()
        (folder / "page.html").write_text("x")
    result = run("routes", "--match", "/blog/3")
    assert "is answered by /blog/[id:int]" in result.output
    assert "id = 3  (int)" in result.output
    assert "before  /blog/[slug], /blog/[...rest], which would answer it too" in result.output


def test_match_of_a_path_with_another_form_is_a_redirect(run: Run) -> None:
    result = run("routes", "--match", "/contact/")
    assert result.exit_code == 0
    assert "/contact/ is redirected to /contact" in result.output


def test_match_of_nothing_suggests_and_exits_with_1(run: Run) -> None:
    result = run("routes", "--match", "/contatc")
    assert result.exit_code == 1
    assert "Did you mean /contact?" in result.output
    assert "asok make page contatc" in result.output


def test_match_of_nothing_alike_only_offers_to_write_it(run: Run) -> None:
    result = run("routes", "--match", "/zzzzzzzzzzzzz")
    assert "Did you mean" not in result.output


@pytest.mark.parametrize(("path", "pattern"), [("/contact", "/contact"), ("/none/at/all", None)])
def test_match_as_json(run: Run, path: str, pattern: str | None) -> None:
    result = run("routes", "--match", path, "--json")
    found = json.loads(result.output)
    assert (found["route"] or {}).get("pattern") == pattern
    assert result.exit_code == (0 if pattern else 1)


def test_site_without_pages_says_how_to_begin(run: Run, blog: Path) -> None:
    for path in sorted((blog / "src/pages").rglob("page.*")):
        path.unlink()
    for path in sorted((blog / "src/pages").rglob("*.html")):
        path.unlink()
    assert "asok make page about" in run("routes").output


def test_live_is_found_through_includes_and_blocks(run: Run, blog: Path) -> None:
    pages = blog / "src/pages"
    for name, text in {
        "inc": '{% include "html/box.html" %}',
        "block": '{% component "Search" %}x{% endcomponent %}',
        "loop": '{% include "html/loop.html" %}',
        "text": "<p>component('Search')</p>",
    }.items():
        (pages / name).mkdir()
        (pages / name / "page.html").write_text(text)
    html = blog / "src/partials/html"
    (html / "box.html").write_text("{{ component('Search') }}")
    (html / "loop.html").write_text('{% include "html/loop.html" %}')
    found = {one["pattern"]: one["live"] for one in json.loads(run("routes", "--json").output)}
    assert found["/inc"]
    assert found["/block"]
    assert not found["/loop"]
    assert not found["/text"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1 s"), (90, "90 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 d"), (0.5, "0.5 s")],
)
def test_times_are_said_as_people_do(value: float, text: str) -> None:
    assert seconds(value) == text


def test_site_that_was_just_cloned_has_no_key_and_is_listed(run: Run, blog: Path) -> None:
    (blog / ".env").unlink()
    assert run("routes").exit_code == 0
    assert run("migrate", "--status").exit_code == 1  # two are pending
    assert run("cache", "clear").exit_code == 0
