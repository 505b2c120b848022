"""Chromium keeps a page open over two deploys, and nothing that it loads then fails."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response
from tests.services import free_port
from tests.site import build, running, serve, write_site

pytestmark = pytest.mark.browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da6360"
    "60f8cf500f0003860180d5a2d4880000000049454e44ae426082"
)
#: Loads what a page asks for later: a script, a stylesheet with an image in it, an image.
LATER = """async (urls) => {
  const one = (url) => new Promise((good, bad) => {
    const kind = url.endsWith(".css") ? "link" : url.endsWith(".js") ? "script" : "img";
    const tag = document.createElement(kind);
    if (kind === "link") { tag.rel = "stylesheet"; tag.href = url; } else { tag.src = url; }
    tag.onload = () => good(true);
    tag.onerror = () => bad(new Error("failed: " + url));
    document.body.append(tag);
  });
  for (const url of urls) await one(url);
  await new Promise(requestAnimationFrame);
  return [document.documentElement.dataset.later, getComputedStyle(document.body).zIndex];
}"""


def later_files(folder: Path, release: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "first.css").write_text(f"body {{ position: relative; top: {release}px }}\n")
    (folder / "later.css").write_text(
        f"body {{ z-index: {release}; background: url(img/dot.png?x#y) }}\n"
    )
    (folder / "later.js").write_text(f'document.documentElement.dataset.later = "{release}";\n')
    (folder / "img").mkdir(exist_ok=True)
    (folder / "img/dot.png").write_bytes(PNG + bytes(release))


NAMES = ("later.css", "later.js", "img/dot.png")


@contextmanager
def asok(root: Path, port: int, release: int) -> Generator[str]:
    links = "".join(f"<a href=\"{{{{ static('{name}') }}}}\">x</a>" for name in NAMES)
    write_site(
        root,
        {
            "src/pages/page.html": "<!doctype html><html lang=en><head><title>Deploys</title>"
            "<link rel=stylesheet href=\"{{ static('first.css') }}\">"
            "<link rel=icon href=\"{{ static('img/dot.png') }}\"></head>"
            f"<body><p id=release>{release}</p>{links}</body></html>"
        },
    )
    later_files(root / "src/static", release)
    build(root)
    with serve(root, port=port) as url:
        yield url


PYRAMID = """
from tet.config import application_factory

@application_factory(excluded_features=["renderers.tonnikala"])
def main(config):
    config.include("tet.static")
    config.add_static_view_with_breaker(
        name="static/{breaker}", path="site_of_tests:static", cache_max_age=31536000
    )
    config.add_route("home", "/")
    config.add_view(home, route_name="home")

def home(request):
    url = lambda name: request.static_url("site_of_tests:static/" + name)
    links = "".join(f'<a href="{url(name)}">x</a>' for name in NAMES)
    request.response.text = (
        f'<!doctype html><link rel=stylesheet href="{url("first.css")}">'
        f'<link rel=icon href="{url("img/dot.png")}">'
        f"<p id=release>{RELEASE}</p>{links}"
    )
    return request.response

application = main({})
"""


@contextmanager
def pyramid(root: Path, port: int, release: int) -> Generator[str]:
    (root / "site_of_tests").mkdir(exist_ok=True)
    (root / "site_of_tests/__init__.py").touch()
    (root / "wsgi.py").write_text(f"NAMES = {NAMES!r}\nRELEASE={release}\n{PYRAMID}")
    later_files(root / "site_of_tests/static", release)
    command = ("-W", "ignore", "-m", "gunicorn", "--bind=localhost:{port}", "--workers=3", "wsgi")
    with running(root, *command, port=port, PYTHONDONTWRITEBYTECODE="1") as (url, _):
        yield url


@pytest.mark.parametrize("deploy", [asok, pyramid])
def test_an_open_page_loads_its_files_after_two_deploys(
    page: Page, tmp_path: Path, deploy: Callable[[Path, int, int], AbstractContextManager[str]]
) -> None:
    port = free_port()
    answered: dict[str, int] = {}
    failed: list[str] = []

    def note(response: Response) -> None:
        answered[response.url] = response.status

    page.on("response", note)
    page.on("requestfailed", lambda request: failed.append(request.url))
    links = "links => links.map(link => link.href)"
    pages: list[list[str]] = []
    for release in (1, 2, 3):
        with deploy(tmp_path, port, release) as url:
            if pages:
                # The page that was opened before this deploy asks for its files only now. Asok
                # has its release's own. Pyramid redirects to the current ones, and those of the
                # second release are in the browser since the first page was redirected there.
                before = str(release - 1 if deploy is asok else 2)
                assert page.evaluate(LATER, pages[-1]) == [before, before]
            if len(pages) > 1:
                oldest = "1" if deploy is asok else "3"
                assert page.evaluate(LATER, pages[0]) == [oldest, oldest]
            page.goto(url)
            assert page.locator("#release").text_content() == str(release)
            top = page.evaluate("() => getComputedStyle(document.body).top")
            assert top == f"{release}px", "a stale stylesheet"
            pages.append(page.eval_on_selector_all("a", links))
    assert len({url for urls in pages for url in urls}) == 9
    assert not failed
    assert set(answered.values()) <= {200, 301, 304}
    assert (301 in answered.values()) is (deploy is pyramid)
