from __future__ import annotations

import ast
from pathlib import Path

import pytest

from asok.cli.generators import component, model, page, write
from asok.errors import AsokError, CommandError, RouteConflict, RouteError


@pytest.mark.parametrize(
    ("path", "folder", "url"),
    [
        ("about", "about", "/about"),
        ("/about/", "about", "/about"),
        ("blog/[slug]", "blog/[slug]", "/blog/example"),
        ("shop/[id:int]/edit", "shop/[id:int]/edit", "/shop/1/edit"),
        ("docs/[...path]", "docs/[...path]", "/docs/a/b"),
        ("x/[u:uuid]", "x/[u:uuid]", "/x/00000000-0000-0000-0000-000000000001"),
    ],
)
def test_page_is_a_module_and_a_template(path: str, folder: str, url: str, site: Path) -> None:
    made = page(site, path)
    written = write(made.files)
    assert [one.relative_to(site / "src" / "pages").as_posix() for one in written] == [
        f"{folder}/page.py",
        f"{folder}/page.html",
    ]
    assert made.url == url
    ast.parse(written[0].read_text())
    assert '{% extends "html/base.html" %}' in written[1].read_text()


def test_page_of_a_site_without_a_base_template_stands_alone(site: Path) -> None:
    (site / "src/partials/html/base.html").unlink()
    text = page(site, "about").files[1].text
    assert text.startswith("<!doctype html>")
    assert "<h1>About</h1>" in text


def test_page_of_the_front(tmp_path: Path) -> None:
    (tmp_path / "src/pages").mkdir(parents=True)
    made = page(tmp_path, "/")
    assert made.url == "/"
    assert "Welcome" in made.files[1].text


def test_page_that_is_there_is_not_overwritten(site: Path) -> None:
    before = (site / "src/pages/page.html").read_bytes()
    with pytest.raises(CommandError, match="nothing is overwritten"):
        page(site, "/")
    assert (site / "src/pages/page.html").read_bytes() == before


def test_page_that_another_one_answers_is_refused(site: Path) -> None:
    write(page(site, "blog/[slug]").files)
    with pytest.raises(RouteConflict):
        page(site, "blog/[name]")


@pytest.mark.parametrize("path", ["a b", "[id:nt]", "[...path]/x", "../up", "[]", "a?b"])
def test_address_that_can_not_be_one_is_refused(path: str, site: Path) -> None:
    with pytest.raises(RouteError) as caught:
        page(site, path)
    assert caught.value.fix
    assert not (site / "src" / "pages" / path).exists()


@pytest.mark.parametrize(
    ("name", "template"),
    [("Search", "search.html"), ("SearchBox", "search_box.html"), ("HTTPInfo", "http_info.html")],
)
def test_component_is_a_class_and_a_template(name: str, template: str, site: Path) -> None:
    written = write(component(site, name))
    assert [path.name for path in written] == [f"{name}.py", template]
    assert f'self.html("{template}")' in written[0].read_text()
    ast.parse(written[0].read_text())


def test_model_is_a_class(site: Path) -> None:
    (written,) = write(model(site, "BlogPost"))
    assert written == site / "src/models/blog_post.py"
    assert "class BlogPost(" in written.read_text()


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("search", "Search"),
        ("blog post", "BlogPost"),
        ("1x", "Search"),
        ("Component", "ComponentItem"),
        ("None", "NoneItem"),
        ("a/b", "AB"),
        ("…", "Search"),
    ],
)
def test_name_that_is_no_class_is_refused_with_one_that_is(
    name: str, proposed: str, site: Path
) -> None:
    with pytest.raises(CommandError) as caught:
        component(site, name)
    assert caught.value.fix == f"Try: asok make component {proposed}"
    write(component(site, proposed))


def test_of_several_files_none_is_written_where_one_is_there(site: Path) -> None:
    (site / "src/components/search.html").write_text("mine")
    with pytest.raises(AsokError):
        write(component(site, "Search"))
    assert not (site / "src/components/Search.py").exists()
    assert (site / "src/components/search.html").read_text() == "mine"
