"""`asok pages`: every stored page, its state and why, for people and for programs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from asok.cli.pages import span
from asok.cli.stored import stored
from asok.holes import Holed
from asok.pages import DiskStore, Rendered, StoredPage

from .conftest import Run

#: The site's pages, among them one in each state.
PAGE = """
SSG = True
TAGS = ("posts",)
REVALIDATE = 60


def get(request):
    return "home"
"""


@pytest.fixture(autouse=True)
def inside(site: Path, anew: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that was built, with pages of the past put beside what the build made."""
    monkeypatch.chdir(site)
    pages = site / "src/pages"
    for file in pages.rglob("page.*"):
        file.unlink()
    (pages / "page.py").write_text(PAGE)
    result = anew("build")
    assert result.exit_code == 0, result.output


def put(site: Path, path: str, *, age: float = 0.0, listed: bool = False, **more: object) -> None:
    store = open_store(site)
    now = time.time()
    page = StoredPage.make(
        Rendered(200, [], Holed((b"x" * 1500,))),
        path=path,
        pattern="/blog/[slug]",
        params={},
        rendered_at=now - age,
        listed=listed,
        **more,  # type: ignore[arg-type]
    )
    assert store.put(page)


def open_store(site: Path) -> DiskStore:
    return DiskStore(site / ".asok/ssg_cache")


def rows(output: str) -> dict[str, str]:
    """Path -> the rest of its line."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        if line.startswith("/"):
            path, _, rest = line.partition("  ")
            found[path] = " ".join(rest.split())
    return found


def test_each_page_has_its_state_and_why(anew: Run, site: Path) -> None:
    put(site, "/blog/old", age=7300, revalidate=3600.0)
    put(site, "/blog/expired", age=200_000, revalidate=3600.0, expire=7200.0)
    put(site, "/blog/broken", age=600, revalidate=60.0)
    open_store(site).fail(
        "/blog/broken", time.time(), revalidate=60.0, error="ValueError: \x1b[31mdown\nnow"
    )
    put(site, "/blog/tagged", tags=("posts", "post:1"))
    put(site, "/blog/path")
    put(site, "/blog/again")
    put(site, "/blog/query\0page=2&sort=new")
    open_store(site).invalidate("/blog/again", time.time(), block=True)
    open_store(site).invalidate_tag("post:1", time.time(), block=False)
    open_store(site).invalidate_tag("\0path:/blog/path", time.time(), block=False)
    result = anew("pages")
    assert result.exit_code == 0, result.output
    found = rows(result.output)
    assert found["/"].startswith("fresh 0 s 60 s") or found["/"].startswith("fresh")
    assert found["/"].endswith("listed")
    assert found["/blog/old"].startswith("stale 2 h -")
    assert found["/blog/old"].endswith("1.5 kB on demand older than REVALIDATE (3600 s)")
    assert found["/blog/expired"].startswith("expired 2 d")
    assert found["/blog/expired"].endswith("older than EXPIRE (7200 s)")
    assert found["/blog/broken"].startswith("error 10 min")
    assert "1 failed, next try in" in found["/blog/broken"]
    assert "    ValueError: \\x1b[31mdown\\nnow" in result.output.splitlines()
    assert found["/blog/tagged"].endswith("invalidated: tag post:1")
    assert found["/blog/path"].endswith("invalidated: its path")
    assert found["/blog/again"].startswith("expired")
    assert found["/blog/again"].endswith("on demand, generation 1 invalidated")
    assert found["/blog/query?page=2&sort=new"].startswith("fresh")
    assert "8 pages, 10." in result.output
    assert "2 fresh, 3 stale, 2 expired, 1 error; 7 made on demand" in result.output


def test_json_tells_programs_everything(anew: Run, site: Path) -> None:
    put(site, "/blog/a b\0page=2", age=100, revalidate=60.0, tags=("posts",))
    result = anew("pages", "/blog/", "--json")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.output)
    assert 100 <= found.pop("age") < 200
    assert -140 < found.pop("left") < 0
    assert found == {
        "path": "/blog/a b",
        "query": "page=2",
        "address": "/blog/a%20b?page=2",
        "pattern": "/blog/[slug]",
        "state": "stale",
        "reason": "older than REVALIDATE (60 s)",
        "size": 1500,
        "status": 200,
        "listed": False,
        "revalidate": 60.0,
        "expire": None,
        "tags": ["posts"],
        "generation": 0,
        "failures": 0,
        "error": "",
    }


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        (["blog"], {"/blog/one", "/blog/zwei ß"}),
        (["/blog/*"], {"/blog/one", "/blog/zwei ß"}),
        (["/blog/???"], {"/blog/one"}),
        (["/blog/[slug]"], {"/blog/one", "/blog/zwei ß"}),
        (["zwei%20"], {"/blog/zwei ß"}),
        (["--tag", "posts"], {"/"}),
        (["--state", "stale"], {"/blog/one"}),
        (["--state", "fresh", "--tag", "posts"], {"/"}),
    ],
)
def test_a_filter_a_state_and_a_tag_choose(
    anew: Run, site: Path, arguments: list[str], paths: set[str]
) -> None:
    put(site, "/blog/one", age=100, revalidate=60.0)
    put(site, "/blog/zwei ß")
    result = anew("pages", *arguments)
    assert set(rows(result.output)) == paths


@pytest.mark.parametrize(
    ("arguments", "message", "fix"),
    [
        (["/blgo"], "none of the 2 stored pages fits '/blgo'.", "Did you mean /blog?"),
        (["zzzzz"], "none of the 2 stored pages fits 'zzzzz'.", "Give a part of a path"),
        (["--tag", "psots"], "no stored page has the tag 'psots'.", "Did you mean posts?"),
        (["--tag", "zzzzz"], "no stored page has the tag 'zzzzz'.", "There are: posts."),
    ],
)
def test_what_fits_no_page_is_a_mistake(
    anew: Run, site: Path, arguments: list[str], message: str, fix: str
) -> None:
    put(site, "/blog/one")
    result = anew("pages", *arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert f"fix  {fix}" in result.output
    assert anew("pages", *arguments, "--json").output == "[]\n"


def test_tags_may_be_missing_altogether(anew: Run, site: Path) -> None:
    (site / "src/pages/page.py").write_text(PAGE.replace("TAGS", "_TAGS"))
    assert anew("build").exit_code == 0
    assert 'Give a page tags: TAGS = ("posts",).' in anew("pages", "--tag", "posts").output


def test_no_page_in_a_state_is_good_news(anew: Run) -> None:
    result = anew("pages", "--state", "error")
    assert (result.exit_code, result.output) == (0, "No such page is error.\n")
    result = anew("pages", "/", "--tag", "posts", "--state", "stale")
    assert (result.exit_code, result.output) == (0, "No such page is stale.\n")


def test_a_misspelt_state_is_answered_with_the_right_one(anew: Run) -> None:
    result = anew("pages", "--state", "stlae")
    assert result.exit_code == 2
    assert "'stlae' is none of fresh, stale, expired, error. Did you mean stale?" in result.output


def test_a_filter_and_a_tag_may_exclude_each_other(anew: Run, site: Path) -> None:
    put(site, "/blog/one")
    result = anew("pages", "/blog/one", "--tag", "posts")
    assert (result.exit_code, result.output) == (0, "There is no such page.\n")


def test_outside_a_site_it_says_where_to_go(
    anew: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = anew("pages")
    assert result.exit_code == 1
    assert "there is no site here" in result.output


def test_long_paths_are_cut_and_wide_letters_keep_the_columns(anew: Run, site: Path) -> None:
    put(site, "/blog/" + "x" * 100)
    put(site, "/blog/日本語")
    put(site, "/blog/\u202egnp")
    lines = [line for line in anew("pages", "/blog").output.splitlines() if line.startswith("/")]
    assert "…" in lines[0] or "…" in lines[2]
    assert any("\\u202e" in line for line in lines)
    assert "\u202e" not in "".join(lines)


def test_a_site_without_a_build_has_no_pages(anew: Run, site: Path) -> None:
    store = open_store(site)
    for path in list(store.paths()):
        assert path == "/"
    (site / ".asok/ssg_cache/current").unlink()
    result = anew("pages")
    assert "No page is stored yet. Build the site: asok build" in result.output


def test_code_that_changed_since_the_build_is_named(anew: Run, site: Path) -> None:
    (site / "src/pages/page.py").write_text(PAGE + "\n# changed\n")
    result = anew("pages")
    assert "The last build was made by other code than this." in result.output


def test_a_page_that_was_removed_meanwhile_is_passed_over(site: Path) -> None:
    class Racing(DiskStore):
        def paths(self):  # type: ignore[no-untyped-def]
            yield from [*super().paths(), "/gone"]

    found = list(stored(Racing(site / ".asok/ssg_cache"), time.time()))
    assert [page.path for page in found] == ["/"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7200, "2 h"),
        (86_400, "24 h"),
        (200_000, "2 d"),
        (-3.5, "-3 s"),
        (-300, "-5 min"),
    ],
)
def test_times_are_short(value: float, text: str) -> None:
    assert span(value) == text
