"""`asok revalidate`: what is invalidated, and what is said about what can't be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.services import free_port

from asok.pages import DiskStore, path_tag, route_tag

from .conftest import Run


@pytest.fixture(autouse=True)
def inside(blog: Path, anew: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(blog)


def store(blog: Path) -> DiskStore:
    return DiskStore(blog / ".asok/ssg_cache", fingerprint="any")


def test_paths_patterns_and_tags_are_invalidated_together(anew: Run, blog: Path) -> None:
    result = anew("revalidate", "/blog/a%20b/", "/blog/[slug]", "--tag", "posts", "--tag", "x")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "path     /blog/a b",
        "pattern  /blog/[slug]",
        "tag      posts",
        "tag      x",
        "The old page is served while the new one is made.",
    ]
    found = store(blog)
    for tag in (path_tag("/blog/a b"), route_tag("/blog/[slug]"), "posts", "x"):
        assert found.tag_moment(tag) > 0


def test_what_the_workers_could_not_be_told_is_a_failure(
    anew: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASOK_PAGES_BACKEND", "redis")
    monkeypatch.setenv("ASOK_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    result = anew("revalidate", "--tag", "posts")
    assert result.exit_code == 1
    assert "the workers do not know of it" in " ".join(result.output.split())


def test_block_says_what_it_does(anew: Run) -> None:
    result = anew("revalidate", "/", "--block")
    assert "The next visitor waits for the new page." in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/blgo/x"], "no page answers '/blgo/x'."),
        (["/contact"], "/contact is made for every request"),
        (["--tag", ""], "the tag '' can't be revalidated: it is empty."),
        (["https://example.org/"], "is not on this site"),
    ],
)
def test_one_mistake_leaves_everything_as_it_is(
    anew: Run, blog: Path, arguments: list[str], message: str
) -> None:
    result = anew("revalidate", "/", "--tag", "posts", *arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert "fix  " in result.output
    assert store(blog).tag_moment("posts", path_tag("/")) == 0.0


def test_nothing_to_revalidate_is_a_wrong_call(anew: Run) -> None:
    result = anew("revalidate")
    assert result.exit_code == 2
    assert "there is nothing to revalidate: give a PATH, or --tag TAG." in result.output


@pytest.mark.parametrize("command", [["revalidate", "/"], ["pages"]])
def test_a_site_that_is_always_in_debug_mode_stores_nothing(
    anew: Run, blog: Path, command: list[str]
) -> None:
    (blog / "wsgi.py").write_text(
        "from pathlib import Path\n"
        "from asok import Asok, Settings\n"
        "app = Asok(settings=Settings.load(Path(__file__).parent, debug=True))\n"
    )
    result = anew(*command)
    assert result.exit_code == 1
    assert "its wsgi.py makes it with debug=True" in result.output


def test_outside_a_site_it_says_where_to_go(
    anew: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = anew("revalidate", "/")
    assert result.exit_code == 1
    assert "there is no site here" in result.output
