from __future__ import annotations

from pathlib import Path

import pytest

from asok.pages.written import WrittenAt, line_in


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in {
        "src/pages/about/page.html": "<p>\n<a href='/own'>",
        "src/pages/page.html": '\n\n<a href="/other?a=1&amp;b=2">',
        "src/partials/html/base.html": '<a href="/own">\n<a href="/layout">',
        "src/components/card.html": "\n<a href=/card>",
        "content/post.md": "\n\n\nsee [this](/post)",
        "tests/test_x.py": '"/tested"',
        ".hidden/x.html": '"/hidden"',
        "big.html": '"/big"' + " " * 1_000_001,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "dangling.html").symlink_to("nowhere.html")
    return tmp_path


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("/own", ("src/pages/about/page.html", 2)),
        ("/layout", ("src/partials/html/base.html", 2)),
        ("/card", ("src/components/card.html", 2)),
        ("/post", ("content/post.md", 4)),
        ("/other?a=1&b=2", ("src/pages/page.html", 3)),
        ("/ow", None),
        ("/tested", None),
        ("/hidden", None),
        ("/big", None),
        ("", None),
    ],
)
def test_link_is_found_where_it_was_written(
    site: Path, value: str, place: tuple[str, int] | None
) -> None:
    found = WrittenAt(site).find(value, site / "src/pages/about")
    assert found == (None if place is None else (site / place[0], place[1]))


def test_line_of_a_link_in_a_finished_page() -> None:
    body = b"<p>\n<a href=\"/a\">\n<a href='/b?x&amp;y'>"
    assert line_in(body, "/a") == 2
    assert line_in(body, "/b?x&y") == 3
    assert line_in(body, "/c") is None
