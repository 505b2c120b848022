"""A build of SVG and web app manifests that name other files."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from asok.assets import ManifestAssets, build_assets
from asok.errors import AssetError

from .conftest import Tree, ask, content

HREF = "{http://www.w3.org/1999/xlink}href"
FILES: dict[str, str | bytes] = {
    "app/site.webmanifest": json.dumps(
        {
            "start_url": "/",
            "icons": [{"src": "../i/icon.svg"}, {"src": "/static/i/photo.png"}],
            "shortcuts": [{"name": "x", "url": "/x", "icons": [{"src": "new.png"}]}],
        }
    ),
    "app/new.png": b"new",
    "i/styled.svg": "<?xml-stylesheet href='icon.css'?>\r\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "i/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg' "
    "xmlns:xlink='http://www.w3.org/1999/xlink'><!-- c --><style>a{b:url(photo.png)}</style>"
    "<image href='photo.png?x#y'/><use xlink:href='parts.svg#p'/><a href='/about'/></svg>",
    "i/parts.svg": "<svg xmlns='http://www.w3.org/2000/svg'><image href='icon.svg'/></svg>",
    "i/icon.css": "a{b:url(photo.png)}",
    "i/photo.png": b"photo",
}


def test_every_reference_leads_to_the_published_file(tree: Tree, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = build_assets([tree(FILES)], out).files
    icon = (out / files["i/icon.svg"].path).read_text()
    assert "<!--" not in icon
    root = ElementTree.fromstring(icon)
    photo, parts = (
        files[f"i/{name}"].path.removeprefix("i/") for name in ("photo.png", "parts.svg")
    )
    found = [value for one in root.iter() for key, value in one.attrib.items() if "href" in key]
    assert found == [f"{photo}?x#y", f"{parts}#p", "/about"]
    assert f"url({photo})" in icon
    styled = (out / files["i/styled.svg"].path).read_text()
    assert f"href='{files['i/icon.css'].path.removeprefix('i/')}'" in styled
    read = json.loads((out / files["app/site.webmanifest"].path).read_text())
    assert [one["src"] for one in read["icons"]] == [
        f"../{files['i/icon.svg'].path}", f"../{files['i/photo.png'].path}"
    ]  # fmt: skip
    new = files["app/new.png"].path.removeprefix("app/")
    assert read["shortcuts"] == [{"name": "x", "url": "/x", "icons": [{"src": new}]}]
    assets = ManifestAssets(out)
    url = assets.url("app/site.webmanifest")
    assert content(ask(assets, url)) == (out / files["app/site.webmanifest"].path).read_bytes()
    # A new photo renames all that name it, the two that name each other among them.
    later = build_assets([tree({"i/photo.png": b"another"})], out).files
    moved = {name for name, entry in later.items() if entry.path != files[name].path}
    assert moved == FILES.keys() - {"app/new.png"}


def test_with_releases_only_absolute_references_change(tree: Tree, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_assets([tree(FILES)], out, form="prefix", release="v2")
    assets = ManifestAssets(out)
    read = json.loads(content(ask(assets, assets.url("app/site.webmanifest"))))
    assert [one["src"] for one in read["icons"]] == ["../i/icon.svg", "../i/photo.png"]


@pytest.mark.parametrize(
    ("name", "text", "line", "problem"),
    [
        ("i/a.svg", "<svg>\n<image href='absnt.png'/></svg>", 2, "did you mean 'i/absent.png'"),
        ("i/a.svg", "<svg>\n\n<style>a{b:url(../x.png)}</style></svg>", 3, "is not an asset"),
        ("i/a.svg", "<svg>\n<image href='x.png'></svg>", 2, "is no well-formed XML"),
        ("a.webmanifest", '{"icons": [\n{"src": "x.png"}]}', 2, "is not an asset"),
        ("a.webmanifest", '{"icons": [\n', 2, "is no JSON"),
    ],
)
def test_a_missing_or_broken_one_fails_with_file_and_line(
    tree: Tree, tmp_path: Path, name: str, text: str, line: int, problem: str
) -> None:
    root = tree({name: text, "i/absent.png": b""})
    with pytest.raises(AssetError) as caught:
        build_assets([root], tmp_path / "out")
    assert (caught.value.file, caught.value.line) == (root / name, line)
    assert problem in str(caught.value).replace("Did", "did")
