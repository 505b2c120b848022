"""The documentation's own code: heads of documents, Markdown, and the search index."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docs.conftest import DOCS

from asok import AsokError, site_modules


@pytest.fixture
def library() -> Iterator[Any]:
    """The modules of the site at docs/."""
    site_modules.install(DOCS)
    import importlib

    names = ("front_matter", "markdown", "search_index")
    modules = {name: importlib.import_module(f"src.library.{name}") for name in names}
    yield type("Library", (), modules)
    site_modules.uninstall()
    assert not any(name.startswith("src.library") for name in sys.modules)


HEAD = "---\ntitle: A\ndescription: B\nsection: Guides\norder: 1\n---\n"


def test_head_is_read_and_cut_off(library: Any) -> None:
    head, rest = library.front_matter.split(f"{HEAD}\nText.", Path("a.md"))
    assert head == {"title": "A", "description": "B", "section": "Guides", "order": "1"}
    assert rest == "\nText."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Text.", "has no head"),
        ("---\ntitle: A\n", "has no head"),
        (HEAD.replace("order: 1\n", ""), "lacks order"),
        (HEAD.replace("order", "oder"), "'oder: 1'"),
        (HEAD.replace("order: 1", "order"), "'order'"),
    ],
)
def test_bad_head_names_the_file_and_the_problem(library: Any, text: str, problem: str) -> None:
    with pytest.raises(AsokError, match=problem) as caught:
        library.front_matter.split(text, Path("guides/a.md"))
    assert "guides/a.md" in str(caught.value)


def test_html_in_markdown_stays_text(library: Any) -> None:
    html = library.markdown.render("<script>alert(1)</script>\n\n[x](javascript:alert(1))").html
    assert "<script" not in html
    assert "href" not in html


def test_headings_get_different_anchors(library: Any) -> None:
    rendered = library.markdown.render("## Use it\n\n## Use it\n\n### `code`")
    assert [heading.anchor for heading in rendered.headings] == ["use-it", "use-it-2", "code"]


def test_what_scrolls_has_a_name_of_its_own(library: Any) -> None:
    table, code = "| A |\n|---|\n| 1 |\n\n", "```python\nx\n```\n\n"
    html = str(library.markdown.render((table + code) * 2).html)
    names = re.findall(r'aria-label="([^"]+)"', html)
    assert names == ["Table", "Code: python", "Table, 2", "Code: python, 2"]


def test_code_is_highlighted_without_styles(library: Any) -> None:
    html = library.markdown.render('```python file="a<b.py"\nimport os\n```').html
    assert "<figcaption>a&lt;b.py</figcaption>" in html
    assert 'class="c-kn"' in html
    assert "style=" not in html


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("caching", "Caching"),
        ("caches", "Caching"),
        ("migration", "Models and migrations"),
        ("isla", "Islands"),
        ("CSRF form", "Forms, sessions and CSRF"),
    ],
)
def test_search_puts_the_page_about_it_first(library: Any, query: str, first: str) -> None:
    assert library.search_index.search(query)[0].title == first


@pytest.mark.parametrize("query", ["", "  ", "<>&", "nothinglikethis", "cache nothinglikethis"])
def test_search_for_nothing_finds_nothing(library: Any, query: str) -> None:
    assert library.search_index.search(query) == []


def test_excerpts_are_escaped(library: Any) -> None:
    hits = library.search_index.search("script", limit=50)
    assert hits
    for hit in hits:
        text = hit.excerpt.replace("<mark>", "").replace("</mark>", "")
        assert "<" not in text
        assert "<mark>" in hit.excerpt or hit.heading or hit.title
