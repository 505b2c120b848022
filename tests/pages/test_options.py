"""Options of a page module: what is taken, and what each refusal says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asok.errors import PageOptionError
from asok.pages import PageOptions
from asok.pages.query import make_query

FILE = Path("src/pages/blog/page.py")


def read(**values: Any) -> PageOptions:
    module = ModuleType("page")
    vars(module).update(values)
    return PageOptions.from_module(module, FILE)


def paths() -> list[dict[str, str]]:
    return [{"slug": "a"}]


def test_a_page_without_a_module_or_without_options_is_rendered_per_request() -> None:
    assert PageOptions.from_module(None, FILE) == PageOptions() == read(get=print, TITLE="x")
    assert not PageOptions().ssg


def test_ssg_or_get_static_paths_makes_a_page_static() -> None:
    assert read(SSG=True).ssg
    assert read(get_static_paths=paths) == PageOptions(ssg=True, get_static_paths=paths)
    assert not read(SSG=False, get_static_paths=paths, REVALIDATE=5).ssg


@pytest.mark.parametrize("value", [3600, 3600.0, timedelta(hours=1)])
def test_revalidate_takes_seconds_or_a_timedelta(value: Any) -> None:
    assert read(SSG=True, REVALIDATE=value).revalidate == 3600.0


def test_the_further_options() -> None:
    options = read(
        SSG=True,
        REVALIDATE=60,
        EXPIRE=timedelta(days=1),
        FALLBACK="404",
        TAGS=["posts", "news", "posts"],
        QUERY={"page", "lang"},
        CSP="hash",
    )
    assert options == PageOptions(
        ssg=True,
        revalidate=60.0,
        expire=86400.0,
        fallback="404",
        tags=("posts", "news"),
        query=make_query(("lang", "page")),
        csp="hash",
    )


def test_none_is_as_good_as_absent() -> None:
    assert read(SSG=True, REVALIDATE=None, TAGS=None, CSP=None) == PageOptions(ssg=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"SSG": 1}, "SSG = 1 is neither True nor False. Write SSG = True"),
        ({"SSG": "yes"}, "neither True nor False"),
        ({"SSG": True, "REVALIDATE": 0}, "for every request.*Remove SSG and REVALIDATE"),
        ({"SSG": True, "REVALIDATE": timedelta(0)}, "for every request"),
        ({"SSG": True, "REVALIDATE": -5}, "negative.*REVALIDATE = 5"),
        ({"SSG": True, "REVALIDATE": True}, "no number"),
        ({"SSG": True, "REVALIDATE": False}, "remove REVALIDATE"),
        ({"SSG": True, "REVALIDATE": "60"}, "no number"),
        ({"SSG": True, "REVALIDATE": float("nan")}, "finite"),
        ({"SSG": True, "REVALIDATE": float("inf")}, "never regenerate"),
        ({"REVALIDATE": 60}, "Add SSG = True"),
        ({"SSG": True, "EXPIRE": 60}, "without REVALIDATE"),
        ({"SSG": True, "REVALIDATE": 60, "EXPIRE": 60}, "longer than REVALIDATE"),
        ({"SSG": True, "get_static_paths": [{}]}, "is no function"),
        ({"FALLBACK": "blocking"}, 'FALLBACK = "generate" or FALLBACK = "404"'),
        ({"FALLBACK": True}, "choices"),
        ({"CSP": ["nonce"]}, "choices"),
        ({"TAGS": "posts"}, r'TAGS = \("posts",\)'),
        ({"TAGS": 5}, "no tuple"),
        ({"TAGS": ("",)}, "printable"),
        ({"TAGS": ("a\nb",)}, "printable"),
        ({"TAGS": ("x" * 129,)}, "128"),
        ({"QUERY": (1,)}, "holds 1"),
        ({"QUERY": "page"}, r'one text, not several.*Write QUERY = \("page",\)'),
        ({"QUERY": 5}, r'neither.*Write QUERY = \("page",\) or QUERY = \{"page": int'),
        ({"QUERY": {"page": float}}, "float.*Expected str, int, bool, or a tuple"),
        ({"GUARD": ()}, "Did you mean GUARDS"),
        ({"MIDDLEWARES": ()}, "Did you mean MIDDLEWARE"),
        ({"TAGS": [str(n) for n in range(65)]}, "At most 64"),
        ({"REVALIDTE": 60}, "Did you mean REVALIDATE"),
        ({"EXPIRES": 60}, "Did you mean EXPIRE"),
        ({"SGS": True}, "Did you mean SSG"),
        ({"ssg": True}, "Did you mean SSG"),
        ({"Revalidate": 60}, "Did you mean REVALIDATE"),
        ({"get_static_path": paths}, "Did you mean get_static_paths"),
        ({"getStaticPaths": paths}, "Did you mean get_static_paths"),
        ({"generate_static_params": paths}, "Did you mean get_static_paths"),
    ],
)
def test_a_wrong_option_is_refused_with_the_fix(values: dict[str, Any], message: str) -> None:
    with pytest.raises(PageOptionError, match=message) as caught:
        read(**values)
    assert caught.value.file == FILE


def test_other_names_are_the_pages_own() -> None:
    class StaticPath:
        pass

    assert read(
        tags=["a"], query="x", csp=1, fallback=None, TITLE=1, TEMPLATE="x", StaticPath=StaticPath,
        static_url=print, _SSG=1, PER_PAGE=10,
    ) == PageOptions()  # fmt: skip


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('"""A page."""\n\nSSG = True\nREVALIDATE = 0\n', 4),
        ("SSG = True\nREVALIDATE = 5\nREVALIDATE: int = 0\n", 3),
        ("SSG = True\n\nREVALIDTE = 5\n", 3),
        ("def generateStaticParams():\n    return []\n", 1),
        ("SSG, REVALIDATE = True, 0\n", None),
    ],
)
def test_a_refusal_names_the_line_of_the_option(
    source: str, line: int | None, tmp_path: Path
) -> None:
    file = tmp_path / "page.py"
    file.write_text(source)
    module = ModuleType("page")
    exec(source, vars(module))
    with pytest.raises(PageOptionError) as caught:
        PageOptions.from_module(module, file)
    assert (caught.value.file, caught.value.line) == (file, line)


@pytest.mark.parametrize(("written", "size"), [("100KB", 102_400), (2048, 2048), (0, 0)])
def test_budget_is_a_size(written: Any, size: int) -> None:
    assert read(BUDGET=written).budget == size


@pytest.mark.parametrize("written", ["much", -1, True, 1.5])
def test_budget_that_is_no_size_is_refused(written: Any) -> None:
    with pytest.raises(PageOptionError, match="is no size") as caught:
        read(BUDGET=written)
    assert caught.value.fix == 'Write BUDGET = "100KB", or a number of bytes.'


def test_sitemap_is_yes_no_or_unsaid() -> None:
    assert read().sitemap is None
    assert read(SITEMAP=False).sitemap is False
    with pytest.raises(PageOptionError, match="SITEMAP"):
        read(SITEMAP="no")
