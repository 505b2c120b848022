"""The build: what it publishes, what it refuses, what it keeps."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import brotli  # pyright: ignore[reportMissingTypeStubs]
import pytest
from backports import zstd

from asok.assets import Manifest, build_assets
from asok.errors import AssetError

from .conftest import CSS, Tree

SVG = "<svg xmlns='http://www.w3.org/2000/svg'><!-- c --><path d='M0 0'/></svg>"


def listing(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def published(out: Path, manifest: Manifest, name: str) -> str:
    return (out / manifest.files[name].path).read_text()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_publishes_minified_files_under_hashed_names_with_variants(tree: Tree, out: Path) -> None:
    manifest = build_assets([tree({"css/base.css": CSS, "images/a.svg": SVG})], out)
    entry = manifest.files["css/base.css"]
    data = (out / entry.path).read_bytes()
    assert entry.path == f"css/base-{hashlib.sha256(data).hexdigest()[:12]}.css"
    assert data.startswith(b"nav :hover{width:calc(100% + 2px)}a{color:red}")
    assert gzip.decompress((out / f"{entry.path}.gz").read_bytes()) == data
    assert brotli.decompress((out / f"{entry.path}.br").read_bytes()) == data
    assert zstd.decompress((out / f"{entry.path}.zst").read_bytes()) == data
    suffixes = {"br": "br", "gzip": "gz", "zstd": "zst"}
    assert entry.codings == {
        coding: (out / f"{entry.path}.{suffix}").stat().st_size
        for coding, suffix in suffixes.items()
    }
    assert "<!--" not in published(out, manifest, "images/a.svg")
    assert Manifest.load(out) == manifest


def test_references_follow_the_names_and_change_the_digest(tree: Tree, out: Path) -> None:
    css = "@import 'b.css';a{b:url(../images/a.svg?q#f);c:url('/static/images/a.svg')}"
    files: dict[str, str | bytes] = {
        "css/a.css": css,
        "css/b.css": "i{b:image-set('../images/a.svg' 1x)}",
        "images/a.svg": SVG,
        "plain.css": "a{b:url(images/a.svg)}",
    }
    first = build_assets([tree(files)], out)
    svg, b = first.files["images/a.svg"].path, first.files["css/b.css"].path
    text = published(out, first, "css/a.css")
    assert f'"{b.removeprefix("css/")}"' in text
    assert f"url(../{svg}?q#f)" in text
    assert f"url(../{svg})" in text
    assert f"url({svg})" in published(out, first, "plain.css")
    second = build_assets([tree({"images/a.svg": SVG.replace("M0", "M1")})], out)
    for name in files:
        assert second.files[name].path != first.files[name].path


@pytest.mark.parametrize(
    "value",
    ["data:image/png;base64,AA==", "https://x.example/a.png", "//x.example/a.png", "#id", "?x",
     "/elsewhere.png", "about:invalid"],
)  # fmt: skip
def test_references_to_elsewhere_stay(tree: Tree, out: Path, value: str) -> None:
    manifest = build_assets([tree({"a.css": f"a{{b:url('{value}')}}"})], out, minify=False)
    assert published(out, manifest, "a.css") == f"a{{b:url('{value}')}}"


@pytest.mark.parametrize(
    "value", ["absent.png", "../absent.png", "/static/x.png", "../../../etc/x"]
)
def test_a_missing_reference_names_file_and_line(tree: Tree, out: Path, value: str) -> None:
    root = tree({"css/a.css": f"a{{}}\n\nb{{c:url({value})}}", "css/absnt.png": ""})
    with pytest.raises(AssetError, match="is not an asset") as caught:
        build_assets([root], out)
    assert (caught.value.file, caught.value.line) == (root / "css" / "a.css", 3)
    assert not out.exists()


def test_a_missing_reference_suggests_the_nearest(tree: Tree, out: Path) -> None:
    root = tree({"css/a.css": "b{c:url(../img/lgo.png)}", "img/logo.png": ""})
    with pytest.raises(AssetError, match=r"Did you mean 'img/logo\.png'"):
        build_assets([root], out)


def test_quoted_names_are_found_and_quoted_again(tree: Tree, out: Path) -> None:
    root = tree({"a.css": "a{b:url('my%20ü.png');c:url(my\\ ü.png)}", "my ü.png": "x"})
    manifest = build_assets([root], out)
    path = manifest.files["my ü.png"].path
    assert (out / path).exists()
    quoted = path.replace(" ", "%20").replace("ü", "%C3%BC")
    assert published(out, manifest, "a.css") == f"a{{b:url({quoted});c:url({quoted})}}"


def test_stylesheets_that_import_each_other_are_built(tree: Tree, out: Path) -> None:
    root = tree(
        {"a.css": "@import 'b.css';", "b.css": "@import 'a.css';", "c.css": "@import 'c.css';"}
    )
    manifest = build_assets([root], out)
    for name, other in (("a.css", "b.css"), ("b.css", "a.css"), ("c.css", "c.css")):
        assert published(out, manifest, name) == f'@import "{manifest.files[other].path}"'
    # Any of them changes the names of all of them.
    changed = build_assets([tree({"b.css": "@import 'a.css';i{b:c}"})], out)
    assert changed.files["a.css"].path != manifest.files["a.css"].path
    assert changed.files["c.css"] == manifest.files["c.css"]
    assert build_assets([root], out).files == changed.files


def test_the_same_tree_gives_the_same_bytes(tree: Tree, out: Path, tmp_path: Path) -> None:
    root = tree(
        {"css/a.css": CSS, "i/x.svg": SVG, "css/b.css": "a{b:url(../i/x.svg)}", "f.bin": b"\0"}
    )
    build_assets([root], out, workers=1)
    moved = tmp_path / "elsewhere"
    shutil.copytree(root, moved, copy_function=shutil.copy)
    build_assets([moved], tmp_path / "other", workers=3)
    assert listing(out) == listing(tmp_path / "other")
    before = listing(out)
    build_assets([root], out)
    assert listing(out) == before


def test_what_did_not_change_is_taken_over(
    tree: Tree, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.css": CSS, "b.css": CSS + "i{}", "c.txt": "text " * 200})
    first = build_assets([root], out)
    made: list[str] = []
    from asok.assets import making

    minified = making.minified

    def counted(name: str, text: str, *, file: Path) -> str:
        made.append(name)
        return minified(name, text, file=file)

    monkeypatch.setattr(making, "minified", counted)
    tree({"b.css": "b{}"})
    second = build_assets([root], tmp_path / "next", previous=out)
    assert made == ["b.css"]
    assert second.files["a.css"] == first.files["a.css"]
    ino = (out / first.files["a.css"].path).stat().st_ino
    assert (tmp_path / "next" / first.files["a.css"].path).stat().st_ino == ino
    build_assets([root], tmp_path / "next", minify=False)
    assert (tmp_path / "next" / "manifest.json").exists()
    assert made == ["b.css"]


@pytest.mark.parametrize("damage", ["changed", "removed", "variant removed"])
def test_a_damaged_earlier_output_is_made_anew(tree: Tree, out: Path, damage: str) -> None:
    root = tree({"a.css": CSS})
    before = build_assets([root], out).files["a.css"].path
    whole = listing(out)
    if damage == "changed":
        (out / before).write_bytes(b"x" * (out / before).stat().st_size)
    else:
        (out / (before if damage == "removed" else f"{before}.br")).unlink()
    build_assets([root], out)
    assert listing(out) == whole


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format":99,"token":"","files":{}}'])
def test_an_unreadable_earlier_manifest_is_made_anew(tree: Tree, out: Path, content: str) -> None:
    root = tree({"a.css": CSS})
    build_assets([root], out)
    whole = listing(out)
    (out / "manifest.json").write_text(content)
    build_assets([root], out)
    assert listing(out) == whole


def test_the_last_releases_stay_and_older_ones_go(tree: Tree, out: Path, tmp_path: Path) -> None:
    paths: list[str] = []
    tokens: list[str] = []
    root = tree({})
    for number in range(5):
        root = tree({"a.css": f"a{{b:{number}}}", "same.txt": "x"})
        manifest = build_assets([root], out, keep=2)
        paths.append(manifest.files["a.css"].path)
        tokens.append(manifest.token)
    assert [(out / path).exists() for path in paths] == [False, False, True, True, True]
    manifest = Manifest.load(out)
    assert manifest.ledger == tokens
    assert [release.token for release in manifest.kept] == tokens[2:4]
    assert [release.files["a.css"].path for release in manifest.kept] == paths[2:4]
    assert all(list(release.files) == ["a.css"] for release in manifest.kept)
    away = build_assets([root], tmp_path / "away", previous=out, keep=1)
    assert (tmp_path / "away" / paths[3]).exists()
    assert [release.token for release in away.kept] == tokens[3:4]
    assert build_assets([root], out, keep=0).kept == []


def test_a_rollback_puts_the_later_release_before_it(tree: Tree, out: Path) -> None:
    a = build_assets([tree({"a.css": "a{}"})], out).token
    b = build_assets([tree({"a.css": "b{c:d}"})], out).token
    back = build_assets([tree({"a.css": "a{}"})], out)
    assert back.token == a
    assert back.ledger == [a, b, a]
    assert [release.token for release in back.kept] == [b]
    assert build_assets([tree({})], out).ledger == [a, b, a]


def test_a_kept_file_that_has_gone_is_forgotten(tree: Tree, out: Path) -> None:
    first = build_assets([tree({"a.css": "a{b:c}"})], out).files["a.css"].path
    (out / first).unlink()
    assert build_assets([tree({"a.css": "b{c:d}"})], out).kept[0].files == {}


def test_a_failing_build_leaves_the_earlier_release(tree: Tree, out: Path) -> None:
    root = tree({"a.css": CSS, "b.js": "1"})
    build_assets([root], out)
    before = listing(out)
    tree({"a.css": "c{}", "b.js": "function ("})
    with pytest.raises(AssetError, match="can't be minified") as caught:
        build_assets([root], out)
    assert (caught.value.file, caught.value.line) == (root / "b.js", 1)
    assert listing(out) == before


def test_a_file_that_is_no_utf8_names_its_line(tree: Tree, out: Path) -> None:
    root = tree({"a.js": b"1\n\xff"})
    with pytest.raises(AssetError, match="UTF-8") as caught:
        build_assets([root], out)
    assert caught.value.line == 2


def test_a_file_that_changes_during_the_build_fails_it(
    tree: Tree, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.bin": b"a"})
    from asok.assets import making

    digest = making.content_digest

    def edited(data: bytes) -> str:
        (root / "a.bin").write_bytes(b"b")
        return digest(data)

    monkeypatch.setattr(making, "content_digest", edited)
    with pytest.raises(AssetError, match="changed while it was being built"):
        build_assets([root], out)


def test_only_files_as_a_build_writes_them_are_pruned(tree: Tree, out: Path) -> None:
    root = tree({"a.css": CSS})
    out.mkdir()
    (out / "mine.txt").write_text("x")
    (out / ".tmp-0011").write_text("x")
    (out / "old-0123456789ab.css").write_text("x")
    build_assets([root], out)
    assert (out / "mine.txt").exists()
    assert not (out / ".tmp-0011").exists()
    assert not (out / "old-0123456789ab.css").exists()


def test_an_output_on_another_file_system_is_copied(
    tree: Tree, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.css": CSS})
    build_assets([root], out)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    build_assets([root], tmp_path / "next", previous=out)
    assert listing(tmp_path / "next") == listing(out)


def test_progress_is_told_every_name(tree: Tree, out: Path) -> None:
    told: list[str] = []
    build_assets([tree({"a.css": "", "b.css": ""})], out, progress=told.append)
    assert sorted(told) == ["a.css", "b.css"]


@pytest.mark.parametrize("options", [{"quality": 12}, {"quality": -1}, {"keep": -1}])
def test_options_out_of_bounds_are_refused(tree: Tree, out: Path, options: dict[str, int]) -> None:
    with pytest.raises(AssetError, match="expected a quality of 0 to 11"):
        build_assets([tree({})], out, **options)  # pyright: ignore[reportArgumentType]


def test_the_door_opens_to_the_build_and_to_nothing_unknown() -> None:
    from asok import assets

    assert callable(assets.build_assets)
    with pytest.raises(AttributeError, match="no attribute 'bild_assets'"):
        assets.bild_assets  # noqa: B018
