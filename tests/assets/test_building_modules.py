"""Scripts in a build: imports, circles, source maps, pins, and what Vite made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from asok.assets import DiskAssets, Manifest, ManifestAssets, build_assets
from asok.errors import AssetError, AssetNotFound

from .conftest import Tree, ask, content, header

APP = "import {n} from './lib/n.js';\nimport {h} from 'preact';\nexport const a = n + h;\n"
VITE = {
    "src/main.ts": {
        "file": "assets/main-DiwrgTda.js",
        "src": "src/main.ts",
        "isEntry": True,
        "imports": ["_shared-B7PI925R.js"],
        "dynamicImports": ["src/lazy.ts"],
        "css": ["assets/main-BGrTs8Xv.css"],
        "assets": ["assets/logo-C9k2LQxS.svg"],
    },
    "_shared-B7PI925R.js": {
        "file": "assets/shared-B7PI925R.js",
        "css": ["assets/shared-ChJ_j-JJ.css"],
        "imports": ["src/main.ts"],
    },
    "src/lazy.ts": {"file": "assets/lazy-BxYz0123.js", "isDynamicEntry": True},
    "src/theme.css": {"file": "assets/theme-DxYz0123.css", "isEntry": True},
}
BUNDLE: dict[str, str | bytes] = {
    "app/.vite/manifest.json": json.dumps(VITE),
    "app/assets/main-DiwrgTda.js": "import './shared-B7PI925R.js'; /* kept */\n"
    "//# sourceMappingURL=main-DiwrgTda.js.map\n",
    "app/assets/main-DiwrgTda.js.map": '{"mappings": ""}',
    "app/assets/shared-B7PI925R.js": "export   const a = 1",
    "app/assets/lazy-BxYz0123.js": "export   const b = 1",
    "app/assets/main-BGrTs8Xv.css": "a  {  b: c }",
    "app/assets/shared-ChJ_j-JJ.css": "d  {  e: f }",
    "app/assets/theme-DxYz0123.css": "g  {  h: i }",
    "app/assets/logo-C9k2LQxS.svg": "<svg><!-- c --></svg>",
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def published(out: Path, manifest: Manifest, name: str) -> str:
    return (out / manifest.files[name].path).read_text()


def test_relative_imports_follow_the_names_and_bare_ones_stay(tree: Tree, out: Path) -> None:
    root = tree(
        {
            "js/app.js": APP,
            "js/lib/n.js": "export const n = new URL('../../i/a.svg?x#f', import.meta.url)",
            "js/old.js": "import('/static/js/app.js')",
            "js/many.js": "new URL('./', import.meta.url); import 'js/old.js'",
            "i/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        }
    )
    manifest = build_assets([root], out)
    n = manifest.files["js/lib/n.js"].path.removeprefix("js/")
    assert f'from"./{n}"' in published(out, manifest, "js/app.js")
    assert 'from"preact"' in published(out, manifest, "js/app.js")
    assert f'"../../{manifest.files["i/a.svg"].path}?x#f"' in published(
        out, manifest, "js/lib/n.js"
    )
    app = manifest.files["js/app.js"].path.removeprefix("js/")
    assert published(out, manifest, "js/old.js") == f'import("./{app}")'
    assert manifest.linked["js/app.js"].imports == ["js/lib/n.js"]
    assert manifest.linked["js/many.js"].imports == ["js/old.js"]
    assert "js/old.js" not in manifest.linked
    assert build_assets([root], out, minify=False).files["js/app.js"].path != app


@pytest.mark.parametrize("specifier", ["./lib/m.js", "/static/js/lib/m.js", "../js/lib/m.js"])
def test_a_missing_import_names_file_line_and_the_nearest(
    tree: Tree, out: Path, specifier: str
) -> None:
    root = tree({"js/app.js": f"\n\nimport '{specifier}'", "js/lib/n.js": ""})
    with pytest.raises(AssetError, match=r"Did you mean 'js/lib/n\.js'") as caught:
        build_assets([root], out)
    assert (caught.value.file, caught.value.line) == (root / "js" / "app.js", 3)


def test_modules_that_import_each_other_get_names_from_all_of_them(tree: Tree, out: Path) -> None:
    root = tree(
        {
            "a.js": "import './b.js'; export const a = 1",
            "b.js": "import './a.js'; import './c.js'",
            "c.js": "import './c.js'; export default 1",
        }
    )
    first = build_assets([root], out)
    for name, other in (("a.js", "b.js"), ("b.js", "a.js"), ("b.js", "c.js"), ("c.js", "c.js")):
        assert f'"./{first.files[other].path}"' in published(out, first, name)
    assert first.linked["a.js"].imports == ["b.js", "c.js"]
    second = build_assets([tree({"a.js": "import './b.js'; export const a = 2"})], out)
    changed = {n for n in first.files if first.files[n].path != second.files[n].path}
    assert changed == {"a.js", "b.js"}
    assets = ManifestAssets(out)
    for name in second.files:
        digest = assets.integrity(name)
        assert digest == second.files[name].integrity
        assert ask(assets, assets.url(name)).status == 200


def test_a_linked_source_map_is_kept_and_linked_by_its_name(tree: Tree, out: Path) -> None:
    code = "import   './b.js';   f()\n//# sourceMappingURL=a.js.map\n"
    root = tree(
        {
            "js/a.js": code,
            "js/a.js.map": json.dumps({"version": 3, "mappings": "AAAA,qBAAA"}),
            "js/b.js": "export   {}\n//# sourceMappingURL=gone.js.map\n",
            "js/b.js.map": "{}",
            "js/inline.js": "g()   //# sourceMappingURL=data:application/json,{}",
            "css/a.css": "a  { b: c }\n/*# sourceMappingURL=a.css.map */",
            "css/a.css.map": '{"mappings": ""}',
        }
    )
    manifest = build_assets([root], out)
    b, source_map = (manifest.files[name].path for name in ("js/b.js", "js/a.js.map"))
    assert re.fullmatch(r"js/a\.js-[0-9a-f]{12}\.map", source_map)
    assert published(out, manifest, "js/a.js") == (
        f'import   "./{b.removeprefix("js/")}";   f()\n'
        f"//# sourceMappingURL={source_map.removeprefix('js/')}\n"
    )
    assert json.loads(published(out, manifest, "js/a.js.map"))["mappings"] == "AAAA,kCAAA"
    assert "sourceMapping" not in published(out, manifest, "js/b.js")
    assert published(out, manifest, "js/inline.js").startswith("g()   //")
    assert "a  { b: c }" in published(out, manifest, "css/a.css")
    assert "js/b.js.map" not in manifest.files
    assert build_assets([root], out).files == manifest.files
    assets = ManifestAssets(out)
    assert ask(assets, f"/static/{source_map}").status == 200
    assert [ask(assets, f"/static/js/{n}.js.map").status for n in "ab"] == [404, 404]
    assert "js/a.js.map" not in assets.modules()
    disk = DiskAssets([root])
    assert content(ask(disk, "/static/js/a.js.map")).startswith(b'{"version"')
    assert [ask(disk, f"/static/{n}.map").status for n in ("js/b.js", "x.js", "js/a")] == [404] * 3


def test_a_source_map_that_can_not_be_read_fails_the_build(tree: Tree, out: Path) -> None:
    root = tree({"a.js": "1\n//# sourceMappingURL=a.js.map", "a.js.map": "["})
    with pytest.raises(AssetError, match=r"source map of a\.js can't be read") as caught:
        build_assets([root], out)
    assert caught.value.file == root / "a.js.map"


def test_pins_name_assets_and_urls(tree: Tree, out: Path, tmp_path: Path) -> None:
    root = tree({"js/app.js": APP, "js/lib/n.js": "", "js/vendor/preact.js": "export const h = 1"})
    pins = tmp_path / "importmap.json"
    pins.write_text('{"imports": {"preact": "js/vendor/preact.js", "x": "https://x.example/x.js"}}')
    manifest = build_assets([root], out, pins=pins)
    assert manifest.linked["js/app.js"].imports == ["js/lib/n.js", "js/vendor/preact.js"]
    found = {"preact": "js/vendor/preact.js", "x": "https://x.example/x.js"}
    assert ManifestAssets(out).pins() == DiskAssets([root], pins=pins).pins() == found
    assert DiskAssets([root]).pins() == DiskAssets([root], pins=tmp_path / "none").pins() == {}


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        ('{\n"imports": {\n"a": "js/ap.js"}}', r"Did you mean 'js/app\.js'", 3),
        ("{\n", "is no JSON", 2),
        ("[]", "no import map", None),
        ('{"imports": 1}', "no import map", None),
        ('{"imports": {"a": 1}}', "got 1 for 'a'", None),
    ],
)
def test_wrong_pins_fail_the_build(
    tree: Tree, out: Path, tmp_path: Path, content: str, message: str, line: int | None
) -> None:
    pins = tmp_path / "importmap.json"
    pins.write_text(content)
    with pytest.raises(AssetError, match=message) as caught:
        build_assets([tree({"js/app.js": ""})], out, pins=pins)
    assert (caught.value.file, caught.value.line) == (pins, line)


def test_names_of_vite_count_as_hashed(tree: Tree, out: Path) -> None:
    root = tree({**BUNDLE, "css/own.css": "a  {  b: c }"})
    manifest = build_assets([root], out)
    for name, text in BUNDLE.items():
        if ".vite" not in name:
            assert manifest.files[name].path == name
            assert published(out, manifest, name) == text
    assets, disk = ManifestAssets(out), DiskAssets([root])
    main = "app/assets/main-DiwrgTda.js"
    for one in (assets, disk):
        assert one.asset("src/main.ts") == main
        assert one.url("src/main.ts") == f"/static/{main}"
        assert one.linked(main).css == [
            "app/assets/shared-ChJ_j-JJ.css",
            "app/assets/main-BGrTs8Xv.css",
        ]
        assert one.linked(main).imports == ["app/assets/shared-B7PI925R.js"]
        assert one.linked("css/own.css").css == []
        assert content(ask(one, f"/static/{main}.map")) == b'{"mappings": ""}'
    assert assets.integrity("src/main.ts") == manifest.files[main].integrity
    assert disk.integrity("src/main.ts") == manifest.files[main].integrity
    assert header(ask(assets, f"/static/{main}"), "cache-control") == (
        "public, max-age=31536000, immutable"
    )
    with pytest.raises(AssetNotFound):
        disk.url("src/man.ts")
    # What it named before goes with the release that named it.
    (root / "app/.vite/manifest.json").unlink()
    (root / main).unlink()
    build_assets([root], out, keep=1)
    assert (out / main).exists()
    build_assets([tree({"css/own.css": "x{y:z}"})], out, keep=0)
    assert not (out / main).exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "can't be read"), ('{"a": {"file": "x.js"}}', "names 'app/x.js', which is not there")],
)
def test_a_manifest_of_vite_that_can_not_be_right_fails_the_build(
    tree: Tree, out: Path, content: str, message: str
) -> None:
    with pytest.raises(AssetError, match=message):
        build_assets([tree({"app/.vite/manifest.json": content})], out)
