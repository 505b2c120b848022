"""Modules in Chromium by an import map: in both forms of URLs, under a nonce and a hash."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator

import pytest
from playwright.sync_api import Page, Response, expect
from tests.site import serve, write_site

from asok.assets import build_assets, site_pins, site_roots

pytestmark = pytest.mark.browser

PAGE = "SSG = True\nCSP = {!r}\n\ndef get(request):\n    return request.html('html/box.html')\n"
SITE = {
    "src/importmap.json": '{"imports": {"paint": "js/vendor/paint.js"}}',
    "src/static/js/app.js": """
        import { paint } from "paint"
        import { word } from "./lib/word.js"
        export const colour = "rgb(0, 128, 0)"
        paint(word(), colour)
        const { late } = await import("./lib/late.js")
        late()
        """,
    # It imports app.js back, and the same file as the pin by another way: one instance of each.
    "src/static/js/lib/word.js": """
        import { colour } from "../app.js"
        import { times } from "../vendor/paint.js"
        export const word = () => `painted ${times()} times`
        export const again = () => colour
        """,
    "src/static/js/lib/late.js": """
        import { times } from "js/vendor/paint.js"
        export const late = () => { document.querySelector("p").textContent = `then ${times()}` }
        """,
    "src/static/js/vendor/paint.js": """
        let count = 0
        export const times = () => count
        export function paint(text, colour) {
          count += 1
          const box = document.querySelector("#box")
          box.textContent = text
          box.style.background = colour
        }
        """,
    "src/static/css/box.css": "#box { width: 200px; height: 200px; background: red }",
    "src/partials/html/box.html": """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>
        <link rel="icon" href="data:,">{{ importmap() }}
        {{ modulepreload('js/app.js') }}{{ preload('css/box.css', integrity=true) }}
        <link rel="stylesheet" href="{{ static('css/box.css') }}"
              integrity="{{ integrity('css/box.css') }}">
        <script type="module" src="{{ static('js/app.js') }}"></script>
        </head><body><div id="box"></div><p></p></body></html>
        """,
    "src/pages/nonce/page.py": PAGE.format("nonce"),
    "src/pages/hash/page.py": PAGE.format("hash"),
}
PIXEL = """async url => {
  const image = new Image()
  image.src = url
  await image.decode()
  const canvas = document.createElement("canvas")
  canvas.width = image.width
  canvas.height = image.height
  const context = canvas.getContext("2d")
  context.drawImage(image, 0, 0)
  return [...context.getImageData(image.width - 9, image.height - 9, 1, 1).data]
}"""


@pytest.fixture(scope="module", params=["digest", "prefix"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[str]:
    root = write_site(tmp_path_factory.mktemp(request.param), SITE)
    build_assets(site_roots(root), root / ".asok/assets", form=request.param, pins=site_pins(root))
    with serve(root) as url:
        yield url


@pytest.mark.parametrize("csp", ["nonce", "hash"])
def test_modules_load_once_by_name_and_by_path(page: Page, site: str, csp: str) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{site}/{csp}")
    expect(page.locator("p")).to_have_text("then 1")
    expect(page.locator("#box")).to_have_text("painted 0 times")
    screenshot = b64encode(page.locator("#box").screenshot()).decode()
    assert page.evaluate(PIXEL, f"data:image/png;base64,{screenshot}") == [0, 128, 0, 255]
    scripts = [answer for answer in answers if answer.url.endswith(".js")]
    assert len({answer.url for answer in scripts}) == len(scripts) == 4
    for answer in answers:
        assert answer.status == 200
        if "/static/" in answer.url:
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers.get("content-encoding") in {None, "br", "zstd", "gzip"}
