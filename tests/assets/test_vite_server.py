"""Vite's development server behind a page: a stand-in for the tags, the real one in a browser."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from playwright.sync_api import Page, expect
from tests.services import free_port
from tests.site import build, environment, load_site, serve, wait_until_up, write_site

from asok.assets import DiskAssets, ViteServer
from asok.errors import AssetNotFound
from asok.testing import Client

PAGE = """<!doctype html><html lang=en><head><title>Vite</title>
<link rel=icon href="data:,">
{{ vite('frontend/main.ts'%s) }}</head>
<body><output></output><img src="{{ static('frontend/logo.svg') }}" alt="logo"></body></html>
"""
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="9"></svg>'


@pytest.fixture
def port() -> Generator[int]:
    """A port at which something answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_site(
        tmp_path,
        {
            "frontend/main.ts": "",
            "frontend/a b.css": "",
            "frontend/logo.svg": LOGO % 9,
            "src/static/own.css": "",
            "src/pages/page.html": PAGE % "",
            "src/pages/react/page.html": PAGE % ", 'frontend/a b.css', react=true",
            "src/pages/static/page.py": "SSG = True",
            "src/pages/static/page.html": PAGE % "",
            "src/pages/hash/page.py": "SSG = True\nCSP = 'hash'",
            "src/pages/hash/page.html": PAGE % "",
        },
    )


def test_a_page_loads_its_sources_from_the_server(root: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    client = Client(load_site(root, debug=True, vite_url=url, base_url="http://x.example/at"))
    for path in ("/", "/static", "/hash"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        found = re.search(r"'nonce-([^']+)'", policy)
        assert found is not None
        assert f'<meta property="csp-nonce" nonce="{found[1]}">' in answer.text
        scripts = re.findall(r'<script type="module" src="([^"]+)"></script>', answer.text)
        assert scripts == [f"{url}/@vite/client", f"{url}/frontend/main.ts"]
        assert f'src="{url}/frontend/logo.svg"' in answer.text
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        for name in ("script-src", "style-src", "img-src", "font-src", "connect-src"):
            assert url in rules[name].split()
        assert f"ws://127.0.0.1:{port}" in rules["connect-src"].split()
        assert rules["worker-src"] == "'self' blob:"
    react = client.get("/react").text
    assert f'import RefreshRuntime from "{url}/@react-refresh"' in react
    assert f'<link rel="stylesheet" href="{url}/frontend/a%20b.css">' in react


def test_a_server_is_for_development_and_only_while_it_answers(root: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    live = DiskAssets([root / "src/static"], server=ViteServer(url, root))
    assert live.url("frontend/main.ts") == f"{url}/frontend/main.ts"
    assert live.url("own.css") == "/static/own.css"
    assert live.integrity("frontend/main.ts") == ""
    assert live.linked("frontend/main.ts").imports == []
    for name in ("frontend/absent.ts", "../frontend/main.ts", ".env"):
        with pytest.raises(AssetNotFound):
            live.url(name)
    gone = ViteServer(f"http://127.0.0.1:{free_port()}", root)
    with pytest.raises(AssetNotFound):
        DiskAssets([root / "src/static"], server=gone).url("frontend/main.ts")
    site = load_site(root, vite_url=url)
    assert site.assets.vite is None
    assert url not in site.parts.policy.plain
    assert "ws:" not in load_site(root, debug=True).parts.policy.plain


VITE = {
    "vite.config.js": """
        import { defineConfig } from "vite"
        export default defineConfig({
          base: "./",
          server: { port: Number(process.env.PORT), strictPort: true,
                    origin: `http://localhost:${process.env.PORT}` },
          build: { outDir: "src/static/build", manifest: true,
                   rollupOptions: { input: "frontend/main.ts" } },
        })
        """,
    "frontend/main.ts": """
        import "./main.css"
        import { word } from "./word"
        import logo from "./logo.svg?no-inline"
        const show = (text: string) => { document.querySelector("output")!.textContent = text }
        show(word)
        document.body.dataset.logo = logo
        window.loads = 1 + (window.loads ?? 0)
        if (import.meta.hot) import.meta.hot.accept("./word", (found) => show(found!.word))
        """,
    "frontend/word.ts": 'export const word: string = "one"\n',
    "frontend/main.css": "output { color: rgb(1, 2, 3); background: url(./logo.svg?no-inline) }\n",
    "frontend/logo.svg": LOGO % 9,
    "src/pages/page.html": PAGE % "",
}


@pytest.mark.soak
@pytest.mark.browser
def test_vite_itself_replaces_what_is_edited_and_builds_what_is_served(
    page: Page, tmp_path: Path
) -> None:
    npm = shutil.which("npm")
    assert npm is not None, "npm is not installed, and this test needs the real Vite"
    write_site(tmp_path, VITE)
    subprocess.run(
        [npm, "install", "--no-fund", "--no-audit", "--silent", "vite@8"], cwd=tmp_path, check=True
    )
    vite = [str(tmp_path / "node_modules/.bin/vite")]
    port = free_port()
    with TemporaryFile("w+") as output:
        process = subprocess.Popen(
            vite, cwd=tmp_path, env={**environment(), "PORT": str(port)}, stdout=output,
            stderr=output, text=True,
        )  # fmt: skip
        try:
            wait_until_up(f"http://localhost:{port}/@vite/client", process, output=output)
            with serve(tmp_path, DEBUG="true", ASOK_VITE_URL=f"http://localhost:{port}") as url:
                page.goto(url)
                shown = page.locator("output")
                expect(shown).to_have_text("one")
                expect(shown).to_have_css("color", "rgb(1, 2, 3)")
                assert page.evaluate("document.images[0].naturalWidth") == 9
                page.evaluate("window.kept = 1")
                (tmp_path / "frontend/main.css").write_text("output { color: rgb(4, 5, 6) }\n")
                expect(shown).to_have_css("color", "rgb(4, 5, 6)")
                (tmp_path / "frontend/word.ts").write_text('export const word: string = "two"\n')
                expect(shown).to_have_text("two")
                assert page.evaluate("[window.kept, window.loads]") == [1, 1], "it was reloaded"
        finally:
            process.terminate()
            process.wait(20)
    made = subprocess.run([*vite, "build"], cwd=tmp_path, env={**environment(), "PORT": "0"})
    assert made.returncode == 0
    build(tmp_path)
    with serve(tmp_path, ASOK_VITE_URL=f"http://localhost:{port}") as url:
        page.goto(url)
        expect(page.locator("output")).to_have_text("two")
        expect(page.locator("output")).to_have_css("color", "rgb(4, 5, 6)")
        assert page.evaluate("document.images[0].naturalWidth") == 9
        assert "/static/build/assets/" in page.evaluate("document.body.dataset.logo")
        assert str(port) not in page.content()
