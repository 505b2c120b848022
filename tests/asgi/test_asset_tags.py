"""Assets in templates and on the wire of a site: tags, import maps, releases, a CDN."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.site import load_site, write_site

from asok import Asok, dependencies, site_modules, static
from asok.assets import Form, build_assets, site_pins, site_roots
from asok.errors import AssetError, ConfigurationError
from asok.testing import Client

from .conftest import Open
from .raw import ask

HEAD = (
    "{{ importmap() }}{{ modulepreload('js/app.js') }}{{ preload('fonts/a.woff2') }}"
    "{{ preload('css/a.css', integrity=true) }}{{ preload('i/a.png') }}{{ preload('d.json') }}"
    "{{ preload('js/lib/word.js') }}{{ preload('v.vtt') }}"
    "<link rel=stylesheet href=\"{{ static('css/a.css') }}\""
    " integrity=\"{{ integrity('css/a.css') }}\">"
    "<script type=module src=\"{{ static('js/app.js') }}\"></script>{{ vite('src/main.ts') }}"
)
VITE = {
    "src/main.ts": {"file": "m-DiwrgTda.js", "css": ["m-BGrTs8Xv.css"], "imports": ["_s.js"]},
    "_s.js": {"file": "s-B7PI925R.js"},
    "src/theme.css": {"file": "t-BGrTs8Xv.css"},
}
PAGE = "SSG = True\nCSP = {!r}\n\ndef get(request):\n    return request.html('page.html')\n"
SITE = {
    "src/importmap.json": '{"imports": {"paint": "js/paint.js", "x": "https://x.example/<x>.js"}}',
    "src/static/js/app.js": "import {word} from './lib/word.js'; import 'paint'; word()",
    "src/static/js/lib/word.js": "export const word = () => 1",
    "src/static/js/paint.js": "export {}",
    "src/static/css/a.css": "a{b:c}",
    "src/static/fonts/a.woff2": "font",
    "src/static/i/a.png": "png",
    "src/static/d.json": "{}",
    "src/static/v.vtt": "WEBVTT",
    "src/static/build/.vite/manifest.json": json.dumps(VITE),
    **{f"src/static/build/{chunk['file']}": "" for chunk in VITE.values()},
    "src/static/build/m-BGrTs8Xv.css": "",
    "src/pages/nonce/page.py": PAGE.format("nonce"),
    "src/pages/nonce/page.html": HEAD,
    "src/pages/hash/page.py": PAGE.format("hash"),
    "src/pages/hash/page.html": HEAD,
    "src/pages/one/page.html": "{{ importmap('js/lib/word.js') }}|{{ vite('src/theme.css') }}",
    "src/pages/missing/page.html": "{{ preload('js/lib/wrd.js', integrity=true) }}{{ vite('no') }}",
}


def build(
    root: Path, form: Form = "digest", release: str = "", files: Mapping[str, str] = {}
) -> None:
    write_site(root, {**SITE, **files})
    build_assets(
        site_roots(root), root / ".asok/assets", form=form, release=release, pins=site_pins(root)
    )


def shown_map(text: str) -> dict[str, dict[str, str]]:
    found = re.search(r'<script[^>]* type="importmap">(.*?)</script>', text)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("form", ["digest", "prefix"])
def test_what_templates_write_in_production(tmp_path: Path, open_site: Open, form: Form) -> None:
    build(tmp_path, form, "v1")
    client = open_site({})
    answer = client.get("/nonce")
    text, found = answer.text, shown_map(answer.text)
    assert set(found["imports"]) == {
        "js/app.js", "js/lib/word.js", "js/paint.js", "paint", "x",
        "build/m-DiwrgTda.js", "build/s-B7PI925R.js",
    }  # fmt: skip
    assert found["imports"]["x"] == "https://x.example/<x>.js"
    assert "<x>" not in text
    assert found["imports"]["paint"] == found["imports"]["js/paint.js"]
    assert set(found["integrity"]) == set(found["imports"].values()) - {"https://x.example/<x>.js"}
    for url in re.findall(r'(?:href|src)="([^"]+)"', text):
        assert client.get(url).headers["cache-control"].endswith("immutable"), url
    begin = "/static/v1/js/" if form == "prefix" else "/static/js/"
    links = re.findall(r'<link rel="modulepreload" href="([^"]+)" integrity="sha384-', text)
    assert [re.sub("-[0-9a-f]{12}", "", link) for link in links[:3]] == [
        f"{begin}app.js", f"{begin}lib/word.js", f"{begin}paint.js",
    ]  # fmt: skip
    kinds = re.findall(r'rel="preload" href="[^"]+" as="(\w+)"(?: type="([^"]+)")?', text)
    assert kinds == [
        ("font", "font/woff2"), ("style", "text/css"), ("image", "image/png"), ("fetch", ""),
        ("script", ""), ("track", ""),
    ]  # fmt: skip
    assert re.search('as="font" type="font/woff2" crossorigin="anonymous">', text)
    preloaded = re.search(r'as="style" type="text/css" integrity="(sha384-[^"]+)"', text)
    assert preloaded
    assert text.count(preloaded[1]) == 2  # or the browser fetches it twice
    assert re.search(
        r'<link rel="stylesheet" href="/static/(v1/)?build/m-BGrTs8Xv\.css" integrity="[^"]+">\n'
        r'<link rel="modulepreload" href="/static/(v1/)?build/s-B7PI925R\.js" integrity="[^"]+">\n'
        r'<script type="module" src="/static/(v1/)?build/m-DiwrgTda\.js" integrity="[^"]+">',
        text,
    )
    one, theme = client.get("/one").text.split("|")
    assert set(shown_map(one)["imports"]) == {"js/lib/word.js", "x"}
    assert theme.startswith('<link rel="stylesheet"')


def test_an_import_map_is_nonced_or_hashed(tmp_path: Path, open_site: Open) -> None:
    build(tmp_path)
    client = open_site({})
    nonced, hashed = client.get("/nonce"), client.get("/hash")
    nonce = re.search(r'<script nonce="([^"]+)" type="importmap">', nonced.text)
    assert nonce
    assert f"'nonce-{nonce[1]}'" in nonced.headers["content-security-policy"]
    assert '<script type="importmap">' in hashed.text
    assert "'sha256-" in hashed.headers["content-security-policy"]
    assert "public" in hashed.headers["cache-control"]
    assert "etag" in hashed.headers


def test_while_developing_names_are_plain_and_mistakes_are_told(
    tmp_path: Path, open_site: Open
) -> None:
    build(tmp_path)
    client = open_site({}, debug=True)
    found = shown_map(client.get("/nonce").text)
    assert found == {
        "imports": {
            "build/m-DiwrgTda.js": "/static/build/m-DiwrgTda.js",
            "build/s-B7PI925R.js": "/static/build/s-B7PI925R.js",
            "js/app.js": "/static/js/app.js",
            "js/lib/word.js": "/static/js/lib/word.js",
            "js/paint.js": "/static/js/paint.js",
            "paint": "/static/js/paint.js",
            "x": "https://x.example/<x>.js",
        }
    }
    assert "integrity" not in re.sub(r'integrity="sha384-[^"]+"', "", client.get("/one").text)
    assert client.get("/missing").status_code == 500
    with pytest.raises(AssetError, match=r"Did you mean 'js/lib/word\.js'"):
        load_site(tmp_path, debug=True).addresses.preload("js/lib/wrd.js")
    (tmp_path / "src/static/js/paint.js").write_text("export const edited = 1")
    seen = client.get("/static/js/paint.js")
    assert (seen.text, seen.headers["cache-control"]) == ("export const edited = 1", "no-cache")


def test_a_missing_name_is_no_error_in_production(tmp_path: Path, open_site: Open) -> None:
    build(tmp_path)
    text = open_site({}).get("/missing").text
    assert text == (
        '<link rel="preload" href="/static/js/lib/wrd.js" as="script">'
        '<script type="module" src="/static/no"></script>'
    )


@pytest.mark.parametrize("cdn", ["https://cdn.example", "https://cdn.example:8443/site"])
def test_a_cdn_is_linked_and_allowed(tmp_path: Path, open_site: Open, cdn: str) -> None:
    build(tmp_path)
    client = open_site({}, assets_url=cdn, base_url="https://site.example/at")
    answer = client.get("/at/nonce", headers={"host": "site.example"})
    origin = re.sub("/site$", "", cdn)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    for name in ("script-src", "style-src", "img-src", "font-src", "connect-src", "media-src"):
        assert policy[name].split()[-2 if "nonce" in policy[name] else -1] == origin, name
    assert policy["default-src"] == policy["frame-ancestors"] == "'self'"
    urls = re.findall(r'(?:href|src)="([^"]+)"', answer.text)
    assert urls
    assert all(url.startswith(f"{cdn}/static/") for url in urls)
    # All but our own two tags, which say nothing of it.
    assert answer.text.count("crossorigin") == len(urls) - 2
    path = urls[0].removeprefix(cdn)
    asset = client.get(f"/at{path}", headers={"host": "site.example"})
    assert asset.headers["access-control-allow-origin"] == "*"


def test_a_policy_of_ones_own_keeps_what_it_forbids(tmp_path: Path) -> None:
    build(tmp_path)
    settings = load_site(tmp_path, assets_url="https://cdn.example").settings
    app = Asok(settings=settings, csp={"script-src": "'none'", "img-src": "https://i.example"})
    policy = app.parts.policy.plain
    assert "script-src 'none'" in policy
    assert "img-src https://i.example;" in policy
    assert "style-src 'self' https://cdn.example" in policy


def test_an_older_release_leads_to_the_current_one_below_the_mount(
    tmp_path: Path, open_site: Open
) -> None:
    for release in ("1", "2"):
        build(tmp_path, "prefix", release, {"src/static/css/a.css": f"a{{b:c{release}}}"})
    manifest = tmp_path / ".asok/assets/manifest.json"
    kept = re.compile(r'"kept": \[.*?\n \],\n', re.DOTALL)
    manifest.write_text(kept.sub("", manifest.read_text()))
    client = open_site({}, base_url="https://site.example/at")
    moved = client.get("/at/static/1/css/a.css?q=1", headers={"host": "site.example"})
    assert (moved.status_code, moved.headers["location"]) == (301, "/at/static/2/css/a.css?q=1")


def test_a_page_is_rendered_again_when_what_it_shows_of_assets_changes(tmp_path: Path) -> None:
    plain = {
        "src/pages/plain/page.py": PAGE.format("nonce"),
        "src/pages/plain/page.html": "{{ static('css/a.css') }}{{ integrity('css/a.css') }}",
    }

    def rendered(**edits: str) -> dict[str, str | None]:
        site_modules.uninstall()
        with dependencies.watch(tmp_path):
            build(tmp_path, files={**plain, **edits})
            report, _ = load_site(tmp_path).freeze()
        return {page.path: page.reason for page in report.pages if not page.reused}

    assert set(rendered()) == {"/plain", "/nonce", "/hash"}
    assert rendered() == {}
    word = {"src/static/js/lib/word.js": "export const word = () => 2"}
    assert set(rendered(**word)) == {"/nonce", "/hash"}
    changed = rendered(**word, **{"src/static/css/a.css": "x{y:z}"})
    assert changed["/plain"] == "the asset css/a.css changed"


def test_a_page_sends_early_hints_where_the_server_can(tmp_path: Path) -> None:
    page = """
        from asok import static
        async def get(request):
            await request.http.send_early_hints(f"<{static('css/a.css')}>; rel=preload; as=style")
            return "made after that"
        """
    build(tmp_path, files={"src/pages/early/page.py": page})
    app = load_site(tmp_path)
    answer = ask(app, "/early", extensions=["http.response.early_hint"])
    (link,) = answer.hints
    assert re.fullmatch(rb"</static/css/a-[0-9a-f]{12}\.css>; rel=preload; as=style", link)
    assert (answer.status, answer.text) == (200, "made after that")
    without = ask(app, "/early")
    assert (without.hints, without.text) == ((), "made after that")


def test_python_code_names_assets_as_templates_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = """
        from asok import integrity, static
        SSG = True
        def get(request):
            text = f"{static('css/a.css')} {integrity('css/a.css')}"
            return text, 200, {"link": f"<{static('css/a.css')}>; rel=preload; as=style"}
        """
    build(tmp_path, files={"src/pages/coded/page.py": page})
    client = Client(load_site(tmp_path, base_url="https://site.example/at"))
    for _ in range(2):  # made, and stored
        answer = client.get("/coded")
        url, digest = answer.text.split()
        assert re.fullmatch(r"/at/static/css/a-[0-9a-f]{12}\.css", url)
        assert digest.startswith("sha384-")
        assert answer.headers["link"] == f"<{url}>; rel=preload; as=style"
    monkeypatch.setattr("asok.assets.current._Current.urls", None)
    with pytest.raises(ConfigurationError, match="before there was a site"):
        static("css/a.css")
