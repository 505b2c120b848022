"""The assets of `asok build` and `asok export`: settings, failures, what a page weighs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.site import KEY, write_site

from .conftest import Run, Spawn

PAGE = """
SSG = True
CSP = "hash"
BUDGET = "4KB"

def get(request):
    return request.html("page.html")
"""
SITE = {
    "src/importmap.json": '{"imports": {"cart": "js/cart.js"}}',
    "src/partials/js/app.js": "import { add } from 'cart'\nadd(1)\n",
    "src/partials/js/cart.js": "export const add = (n) => n\n",
    "src/pages/page.py": PAGE,
    "src/pages/page.html": (
        "<title>t</title>{{ importmap() }}"
        "<script type=module src=\"{{ static('js/app.js') }}\"></script>"
    ),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_site(tmp_path / "shop", SITE)
    (folder / ".env").write_text(f"SECRET_KEY={KEY}\n")
    monkeypatch.chdir(folder)
    return folder


def manifest(shop: Path) -> dict[str, Any]:
    return json.loads((shop / ".asok/assets/manifest.json").read_bytes())


def test_a_build_takes_the_form_the_release_and_what_is_kept(
    run: Run, spawn: Spawn, shop: Path
) -> None:
    settings = {"ASOK_ASSETS": "prefix", "ASOK_ASSETS_KEEP": "1"}
    for number in range(3):
        (shop / "src/partials/js/cart.js").write_text(f"export const add = (n) => n + {number}")
        result = spawn("build", cwd=shop, ASOK_RELEASE=f"v{number}", **settings)
        assert result.returncode == 0, result.stderr
    found = manifest(shop)
    assert (found["form"], found["token"]) == ("prefix", "v2")
    assert found["earlier"] == ["v0", "v1"]
    assert [kept["token"] for kept in found["kept"]] == ["v1"]
    assert found["pins"] == {"cart": "js/cart.js"}
    wrong = spawn("build", cwd=shop, ASOK_RELEASE="v/3", **settings)
    assert wrong.returncode == 1
    assert "Set ASOK_RELEASE to a tag" in wrong.stderr
    assert manifest(shop) == found


def test_a_missing_import_fails_the_build_with_file_and_line(spawn: Spawn, shop: Path) -> None:
    (shop / "src/partials/js/app.js").write_text("// 1\nimport './crt.js'\n")
    result = spawn("build", cwd=shop)
    assert result.returncode == 1
    assert "src/partials/js/app.js:2" in result.stderr
    assert "Did you mean 'js/cart.js'?" in result.stderr
    assert not (shop / ".asok/assets/manifest.json").exists()


def test_files_of_a_cdn_are_weighed_too_and_an_export_links_it(spawn: Spawn, shop: Path) -> None:
    cdn = {"ASOK_ASSETS_URL": "https://cdn.example"}
    assert spawn("build", cwd=shop, **cdn).returncode == 0
    noise = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(4000))
    (shop / "src/partials/js/app.js").write_text(f"import 'cart'; window.noise = '{noise}'")
    heavy = spawn("build", cwd=shop, **cdn)
    assert heavy.returncode == 1
    assert "app-" in heavy.stderr
    (shop / "src/partials/js/app.js").write_text("import 'cart'")
    exported = spawn("export", "out", cwd=shop, **cdn)
    assert exported.returncode == 0, exported.stderr
    html = (shop / "out/index.html").read_text()
    script = next((shop / "out/static/js").glob("app-*.js")).name
    assert f'src="https://cdn.example/static/js/{script}"' in html
    assert '<script type="importmap">{"imports":{"' in html
    assert '"cart":"https://cdn.example/static/js/cart-' in html
    headers = (shop / "out/_headers").read_text()
    assert "Access-Control-Allow-Origin: *" in headers
    assert "'sha256-" in headers
