from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from asok.cli.dev.changes import Effect, effect_of, page_files, watched_folders

ROOT = PurePosixPath("/site")


@pytest.mark.parametrize(
    ("path", "effect"),
    [
        ("wsgi.py", Effect.RESTART),
        (".env", Effect.RESTART),
        ("src/pages/page.py", Effect.RESTART),
        ("src/components/Counter.py", Effect.RESTART),
        ("src/pages/prices.json", Effect.RESTART),
        ("content/post.md", Effect.RESTART),
        ("lib/code.py", Effect.RESTART),
        ("src/pages/page.html", Effect.RELOAD),
        ("src/pages/about/page.asok", Effect.RELOAD),
        ("src/components/counter.html", Effect.RELOAD),
        ("src/partials/html/base.html", Effect.RELOAD),
        ("src/partials/js/app.js", Effect.RELOAD),
        ("src/partials/images/a.png", Effect.RELOAD),
        ("src/partials/data.json", Effect.RELOAD),
        ("src/static/robots.txt", Effect.RELOAD),
        ("src/partials/css/base.css", Effect.STYLE),
        ("src/pages/page.css", Effect.STYLE),
        ("README.md", Effect.NOTHING),
        (".env.example", Effect.NOTHING),
        (".asok/notices", Effect.NOTHING),
        ("db.sqlite3", Effect.NOTHING),
        ("db.sqlite3-wal", Effect.NOTHING),
        ("content/photo.png", Effect.NOTHING),
        ("src/pages/__pycache__/page.cpython-311.pyc", Effect.NOTHING),
        ("src/pages/.page.html.swp", Effect.NOTHING),
        ("src/pages/page.html~", Effect.NOTHING),
        ("src/pages/#page.html#", Effect.NOTHING),
        ("src/pages/4913.tmp", Effect.NOTHING),
        ("src/node_modules/x/index.js", Effect.NOTHING),
        ("uploads/a.json", Effect.NOTHING),
        ("tests/test_site.py", Effect.NOTHING),
    ],
)
def test_a_file_asks_for(path: str, effect: Effect) -> None:
    assert effect_of(ROOT / path, ROOT) is effect


def test_what_is_not_the_sites_asks_for_nothing() -> None:
    assert effect_of(PurePosixPath("/other/page.py"), ROOT) is Effect.NOTHING
    assert effect_of(ROOT, ROOT) is Effect.NOTHING


def test_page_files_are_those_that_make_routes(site: Path) -> None:
    before = page_files(site)
    (site / "src/pages/style.css").write_text("")
    assert page_files(site) == before
    (site / "src/pages/about").mkdir()
    (site / "src/pages/about/page.html").write_text("")
    assert page_files(site) - before == {str(site / "src/pages/about/page.html")}


def test_watched_are_source_and_content_not_environments_and_tests(site: Path) -> None:
    for name in ("content", "node_modules", ".venv", "dist"):
        (site / name).mkdir()
    assert [path.name for path in watched_folders(site)] == ["content", "src"]
