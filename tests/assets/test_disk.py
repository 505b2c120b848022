"""Assets in development: what the disk holds now."""

from __future__ import annotations

from pathlib import Path

import pytest

from asok.assets import DiskAssets, FileSlice, Root, disk
from asok.errors import AssetNotFound, ConfigurationError

from .conftest import ask, content, header


def test_an_edited_file_is_seen_at_once(root: Path) -> None:
    assets = DiskAssets([root])
    first = ask(assets, "/static/css/base.css")
    assert header(first, "cache-control") == "no-cache"
    tag = header(first, "etag")
    assert tag is not None
    assert ask(assets, "/static/css/base.css", if_none_match=tag).status == 304
    (root / "css" / "base.css").write_text("b{}")
    again = ask(assets, "/static/css/base.css", if_none_match=tag)
    assert (again.status, content(again)) == (200, b"b{}")


def test_a_new_file_and_a_removed_one_are_seen_at_once(root: Path) -> None:
    assets = DiskAssets([root])
    assert ask(assets, "/static/new.css").status == 404
    (root / "new.css").write_text("x")
    assert ask(assets, "/static/new.css").status == 200
    (root / "new.css").unlink()
    assert ask(assets, "/static/new.css").status == 404


def test_urls_are_plain_and_quoted(root: Path) -> None:
    assets = DiskAssets([root], "/files")
    assert assets.prefix == "/files"
    assert assets.url("css/base.css") == "/files/css/base.css"
    assert assets.url("text/ümlaut name.txt") == "/files/text/%C3%BCmlaut%20name.txt"
    assert ask(assets, "/files/text/ümlaut name.txt").status == 200


@pytest.mark.parametrize("rest", ["#home", "?v=1", "?v=1#home", "#a?b"])
def test_what_follows_the_name_is_kept(root: Path, rest: str) -> None:
    url = DiskAssets([root]).url(f"images/logo.svg{rest}")
    assert url == f"/static/images/logo.svg{rest}"


def test_a_file_whose_name_holds_the_marks_is_found(root: Path) -> None:
    (root / "a#b?c.txt").write_text("x")
    assert DiskAssets([root]).url("a#b?c.txt") == "/static/a%23b%3Fc.txt"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("css/bse.css", "Did you mean 'css/base.css'?"),
        ("base.css", "Did you mean 'css/base.css'?"),
        ("/css/base.css", "Leave out the slash: 'css/base.css'."),
        ("js/app.js.map", "never served"),
        ("zzz", "Create the file"),
        ("../x", "Create the file"),
        ("", "Create the file"),
    ],
)
def test_a_missing_name_is_an_error_with_advice(root: Path, name: str, advice: str) -> None:
    assets = DiskAssets([root])
    for call in (assets.url, assets.integrity):
        with pytest.raises(AssetNotFound) as caught:
            call(name)
        assert advice in str(caught.value)
        assert str(root) in str(caught.value)


def test_integrity_is_of_the_file_as_it_is_now(root: Path) -> None:
    assets = DiskAssets([root])
    before = assets.integrity("css/base.css")
    (root / "css" / "base.css").write_text("b{}")
    assert before.startswith("sha384-")
    assert assets.integrity("css/base.css") != before


def test_roots_are_searched_in_their_order(root: Path, tmp_path: Path) -> None:
    (tmp_path / "site" / "css").mkdir(parents=True)
    (tmp_path / "site" / "css" / "base.css").write_text("mine")
    assets = DiskAssets([Root(tmp_path / "site" / "css", mount="css"), root])
    assert content(ask(assets, "/static/css/base.css")) == b"mine"
    assert ask(assets, "/static/js/app.js").status == 200


def test_folders_that_are_left_out_are_absent(root: Path) -> None:
    assets = DiskAssets([Root(root, skip_folders=frozenset({"js"}), skip_suffixes=(".svg",))])
    assert ask(assets, "/static/js/app.js").status == 404
    assert ask(assets, "/static/images/logo.svg").status == 404
    assert ask(assets, "/static/css/base.css").status == 200


def test_a_large_file_is_sent_from_the_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LARGEST_DIGESTED", 10)
    plan = ask(DiskAssets([root]), "/static/fonts/a.woff2", range="bytes=1-2")
    assert isinstance(plan.body, FileSlice)
    assert content(plan) == b"\x01\x02"


def test_a_file_that_goes_away_between_look_and_reading_is_absent(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(*_: object, **__: object) -> object:
        raise FileNotFoundError

    monkeypatch.setattr(disk, "snapshot", vanish)
    assert ask(DiskAssets([root]), "/static/css/base.css").status == 404


@pytest.mark.parametrize("prefix", ["static", "", "/", "/static/", "//static", "/a/../b", "/.x"])
def test_a_prefix_is_a_path(root: Path, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix of the assets"):
        DiskAssets([root], prefix)
