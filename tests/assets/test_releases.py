"""Two forms of URLs, and what a URL of another release is answered with."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from asok.assets import Manifest, ManifestAssets, build_assets
from asok.assets.manifest import Kept
from asok.errors import AssetError, ConfigurationError

from .conftest import Tree, ask, content, header

FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def release(tree: Tree, out: Path, body: str, token: str = "", keep: int = 3) -> ManifestAssets:
    root = tree({"css/a.css": f"a{{b:url(i.svg?{body});c:url('/static/css/i.svg')}}",
                 "css/i.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"})  # fmt: skip
    build_assets([root], out, form="prefix", release=token, keep=keep)
    return ManifestAssets(out, mount="/at")


def test_a_prefix_changes_all_urls_and_no_reference(tree: Tree, out: Path) -> None:
    assets = release(tree, out, "1")
    assert assets.token == assets.breaker.current
    assert assets.token.startswith("r")
    assert assets.url("css/a.css#x") == f"/static/{assets.token}/css/a.css#x"
    plan = ask(assets, assets.url("css/a.css"))
    assert content(plan) == b"a{b:url(i.svg?1);c:url(i.svg)}"
    assert header(plan, "cache-control") == FOREVER
    assert header(ask(assets, "/static/css/a.css"), "cache-control") == "public, no-cache"
    assert ask(assets, f"/static/{assets.token}/css/none.css").status == 404
    assert assets.url("css/none.css") == "/static/css/none.css"
    assert assets.token in assets.fingerprint


def test_kept_releases_answer_with_their_own_files(tree: Tree, out: Path) -> None:
    first = release(tree, out, "1", "v1").url("css/a.css")
    tree({"new.txt": "n"})
    assets = release(tree, out, "2", "v2")
    plan = ask(assets, first)
    assert (plan.status, header(plan, "cache-control")) == (200, FOREVER)
    assert b"i.svg?1" in content(plan)
    assert ask(assets, "/static/v1/css/i.svg").status == 200
    assert ask(assets, "/static/v1/new.txt").status == 404
    assert ask(assets, "/static/v2/new.txt").status == 200
    assert Manifest.load(out).kept[0].absent == ["new.txt"]


def test_the_policy_for_other_tokens(tree: Tree, out: Path) -> None:
    for number in (9, 10, 11):
        release(tree, out, str(number), str(number), keep=0)
    assets = release(tree, out, "12", "12", keep=0)
    for older in ("9", "10", "2"):
        plan = ask(assets, f"/static/{older}/css/a.css", query='x=1&y=\r\n"é')
        assert plan.status == 301
        assert header(plan, "location") == "/at/static/12/css/a.css?x=1&y=%0D%0A%22%C3%A9"
        assert header(plan, "cache-control") == "max-age=0, must-revalidate"
    for name in ("css/a.css", "css/new.css"):  # the second is of the later release alone
        newer = ask(assets, f"/static/13/{name}")
        assert (newer.status, header(newer, "retry-after")) == (503, "3")
        assert header(newer, "cache-control") == "no-store"
    for name in (".env", "app.py", "css/a.css.map", "../x", "C:x", "\ufffd.css"):
        assert ask(assets, f"/static/13/{name}").status == 404
    unknown = ask(assets, "/static/abc/css/a.css")
    assert (unknown.status, header(unknown, "cache-control")) == (200, "public, no-cache")
    for path in ("9/none.css", "css/css/a.css", "../css/a.css", "%/css/a.css", "9/", "9//x"):
        assert ask(assets, f"/static/{path}").status == 404
    assert ask(assets, "/static/9/css/a.css", "HEAD").body == b""
    assert ask(assets, "/static/9/css/a.css", "POST").status == 405
    assert ask(assets, "/static/13/css/a.css", "OPTIONS").status == 204


def test_the_ledger_orders_tokens_that_are_no_numbers(tree: Tree, out: Path) -> None:
    for token in ("v1.9.0", "v1.10.0"):
        release(tree, out, token, token, keep=0)
    assets = release(tree, out, "v1.11.0", "v1.11.0", keep=0)
    assert Manifest.load(out).ledger == ["v1.9.0", "v1.10.0", "v1.11.0"]
    assert ask(assets, "/static/v1.9.0/css/a.css").status == 301
    assert ask(assets, "/static/v2.0.0/css/a.css").status == 200


def test_both_forms_are_understood_after_a_change_of_form(tree: Tree, out: Path) -> None:
    root = tree({"a.css": "a{b:c}", "b.css": "@import 'a.css'"})
    build_assets([root], out)
    digest = ManifestAssets(out).url("a.css")
    build_assets([root], out, form="prefix", release="v2")
    assets = ManifestAssets(out)
    prefix = assets.url("a.css")
    assert header(ask(assets, digest), "cache-control") == FOREVER
    build_assets([tree({"a.css": "a{b:d}"})], out, release="v3")
    assets = ManifestAssets(out)
    assert "/a-" in assets.url("a.css")
    assert content(ask(assets, prefix)) == b"a{b:c}"
    assert ask(assets, "/static/v1/a.css").status == 404
    assert assets.fingerprint == ManifestAssets(out).fingerprint
    assert "v3" not in assets.fingerprint


def test_the_same_release_with_other_assets_is_told(
    tree: Tree, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release(tree, out, "1", "v1")
    release(tree, out, "1", "v1")
    assert not caplog.records
    with caplog.at_level(logging.WARNING, "asok.assets"):
        release(tree, out, "2", "v1")
    assert "set another ASOK_RELEASE" in caplog.text


@pytest.mark.parametrize("token", ["a/b", ".hidden", "..", "a b", "a\r\nb", "é", "x" * 65])
def test_a_token_that_can_be_no_segment_is_refused(tree: Tree, out: Path, token: str) -> None:
    with pytest.raises(ConfigurationError, match="Set ASOK_RELEASE to a tag"):
        release(tree, out, "1", token)


def test_a_token_that_is_a_folder_is_refused(tree: Tree, out: Path) -> None:
    with pytest.raises(AssetError, match="also a folder of the assets"):
        release(tree, out, "1", "css")


def test_what_a_release_was_is_told_from_what_is_now(tree: Tree, out: Path) -> None:
    first = build_assets([tree({"a.txt": "1", "same.txt": "s"})], out).files
    second = build_assets([tree({"a.txt": "2", "new.txt": "n"})], out).files
    kept = Kept.of("t", first, second)
    assert (list(kept.files), kept.absent) == (["a.txt"], ["new.txt"])
    assert kept.all_files(second) == first
    assert kept.find("same.txt", second) == first["same.txt"]
    assert kept.find("new.txt", second) is None
