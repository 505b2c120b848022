"""Which files become assets, and under which names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.assets import Root, names, scan, site_roots
from asok.errors import AssetError

from .conftest import Tree


def test_names_are_paths_inside_the_root_and_sorted(tree: Tree) -> None:
    root = tree({"js/b.js": "", "css/a.css": "", "css/deep/er/x.css": "", "top.txt": ""})
    assert list(scan([root])) == ["css/a.css", "css/deep/er/x.css", "js/b.js", "top.txt"]
    assert scan([str(root)])["css/a.css"].path == root / "css" / "a.css"


def test_hidden_files_are_passed_over(tree: Tree) -> None:
    root = tree(dict.fromkeys((".env", ".git/x", "a.css.map", "a.css.gz", "a.py", "a~", "a"), ""))
    assert list(scan([root])) == ["a"]


def test_an_earlier_root_hides_a_later_ones_file(tree: Tree) -> None:
    root = tree({"one/x.css": "", "two/x.css": "", "two/y.css": ""})
    found = scan([root / "one", root / "two"])
    assert [source.path.parent.name for source in found.values()] == ["one", "two"]


def test_a_root_may_be_mounted(tree: Tree) -> None:
    root = tree({"x.css": ""})
    assert list(scan([Root(root, mount="vendor/lib")])) == ["vendor/lib/x.css"]


@pytest.mark.parametrize("mount", ["/css", "css/", "../css", ".css", "a\\b"])
def test_a_mount_is_a_relative_path(tmp_path: Path, mount: str) -> None:
    with pytest.raises(AssetError, match="relative path"):
        Root(tmp_path, mount=mount)


def test_a_site_gives_its_partials_without_templates_and_its_static_folder(tree: Tree) -> None:
    site = tree(
        {
            "src/partials/css/base.css": "",
            "src/partials/html/base.html": "",
            "src/partials/html/x.css": "",
            "src/partials/nav.asok": "",
            "src/partials/cards/card.html": "",
            "src/static/robots.txt": "",
            "src/static/about.html": "",
        }
    )
    assert list(scan(site_roots(site))) == ["about.html", "css/base.css", "robots.txt"]


def test_a_root_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert scan([tmp_path / "absent"]) == {}


def test_a_link_out_of_the_root_is_an_error(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.css": ""})
    (tmp_path / "secret").write_text("x")
    (root / "link.css").symlink_to(tmp_path / "secret")
    with pytest.raises(AssetError, match="leads out of its folder") as caught:
        scan([root])
    assert caught.value.file == root / "link.css"


def test_a_linked_folder_out_of_the_root_is_an_error(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.css": ""})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.css").write_text("x")
    (root / "linked").symlink_to(tmp_path / "outside")
    with pytest.raises(AssetError, match="leads out of its folder"):
        scan([root])


def test_links_inside_the_root_are_files_and_loops_end(tree: Tree) -> None:
    root = tree({"css/a.css": "x"})
    (root / "b.css").symlink_to("css/a.css")
    (root / "css" / "up").symlink_to("..")
    (root / "again").symlink_to("css")
    assert list(scan([root])) == ["again/a.css", "b.css", "css/a.css"]


@pytest.mark.parametrize("name", ["a:b.css", "a\\b.css", "NUL.css", "a\nb.css", "a%2eb"])
def test_a_name_that_can_not_be_served_is_an_error(tree: Tree, name: str) -> None:
    with pytest.raises(AssetError, match="Rename it"):
        scan([tree({name: ""})])


def test_a_file_name_that_is_no_text_is_an_error(tree: Tree) -> None:
    root = tree({"a": ""})
    os.close(os.open(os.fsencode(root) + b"/\xff.css", os.O_CREAT))
    with pytest.raises(AssetError, match="Rename it") as caught:
        scan([root])
    str(caught.value).encode()


@given(st.lists(st.sampled_from([
    "a.css", "b/c.js", "components/x.js", "console.css", "a.map", "a.js-0.map", "x.gz", "x.MAP",
    ".env", "a/.b/c", "../x", "a//b", "/a", "a/", "", "a\nb", "con", "a/NUL.txt", "com1/x", "aux ",
    "x:y", "a%20", "a~", "~a", "é.css", "é" * 128, "a" * 255, "a" * 256, "a/" * 600 + "a", "a\\b",
    "x\x7f", "con$", "conin$", "com¹", "a.pyc", "py", "a.br/b",
]), max_size=4))  # fmt: skip
def test_many_names_are_judged_as_each_of_them(listed: list[str]) -> None:
    assert names.are_publishable(listed) is all(map(names.is_publishable, listed))
