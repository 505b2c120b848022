"""The same files behind Asok and Pyramid, under each server that is promised."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.site import build, running, write_site

from .wire import Answer, Headers, send

__all__ = ["BIG", "BREAKERS", "CSS", "SERVERS", "SITES", "TOKEN", "Site", "serve_site"]

TOKEN = "1700000000000"
#: The current one, an older, a newer and some that can't be placed.
TOKENS = (TOKEN, "9", "1800000000000", "abc", "1.9.0", "%61", "\xe9")
CSS = b"a { color: red }\n" * 700
BIG = bytes(range(256)) * 5000

#: What may be asked for, and what lies around it. Paths in the folder of the application.
FILES = {
    "static/style.css": CSS,
    "static/app.js": b"1\n",
    "static/big.bin": BIG,
    "static/deep/er/x.css": b"x{}\n",
    "static/deep/later.css": b"later{}\n",
    "static/a b.txt": b"with a space",
    "static/\xe9t\xe9.txt": b"with accents",
    "static/empty.txt": b"",
    # Belong to another file, or to nobody.
    "static/app.js.map": b"secret {}",
    "static/style.css.gz": b"secret gzip",
    "static/style.css.br": b"secret brotli",
    "static/.env": b"secret",
    "static/.git/config": b"secret",
    "static/app.py": b"secret = 1",
    # Outside the folder.
    "static_x/x.css": b"secret",
    "secret.css": b"secret",
}

PYRAMID = """
from tet.config import application_factory

@application_factory(excluded_features=["renderers.tonnikala"])
def main(config):
    config.include("tet.static")
    config.set_cachebreaker(%r)
    config.add_static_view_with_breaker(
        name="static/{breaker}", path="site_of_tests:static", cache_max_age=31536000,
        content_encodings=["gzip"],
    )

application = main({})
"""
ASOK_PAGE = "{% for n in names %}<a href='{{ static(n) }}' title='{{ n }}'>x</a>{% endfor %}"


@dataclass(frozen=True)
class Site:
    """A running site. `folder` holds its `static`, `published` what it serves large files from."""

    name: str
    port: int
    folder: Path
    published: Path
    urls: dict[str, str]
    #: Paths that begin the URL of a file: with every kind of token, or none.
    prefixes: tuple[str, ...]

    def get(self, target: str, method: str = "GET", headers: Headers = None) -> Answer:
        return send(("127.0.0.1", self.port), target, method, headers)

    def file(self, name: str, method: str = "GET", headers: Headers = None) -> Answer:
        """Ask for the current URL of a file, as pages name it."""
        return self.get(self.urls[name], method, headers)


def _write(folder: Path) -> None:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


_NAMES = ("style.css", "app.js", "big.bin", "deep/er/x.css", "empty.txt", "a b.txt", "été.txt")


@contextmanager
def _served(root: Path, *command: str, **variables: str) -> Generator[int]:
    command = ("-W", "ignore", "-m", *command)
    given = {"PYTHONDONTWRITEBYTECODE": "1", **variables}
    with running(root, *command, port=None, log=None, **given) as (url, _):
        yield int(url.rpartition(":")[2])


@contextmanager
def _asok(root: Path, name: str) -> Generator[Site]:
    write_site(
        root,
        {
            "src/pages/page.py": f"def get(request):\n    return request.html('page.html', "
            f"names={_NAMES!r})\n",
            "src/pages/page.html": ASOK_PAGE,
        },
    )
    # `src/static_x` and `src/secret.css` lie beside the folder of assets.
    _write(root / "src")
    given = SETTINGS[name]
    if "DEBUG" not in given:
        build(root, **given)
    with _served(root, "uvicorn", "wsgi:app", "--port={port}", **given) as port:
        html = send(("127.0.0.1", port), "/").body.decode()
        urls = {title: url for url, title in re.findall("href='([^']+)' title='([^']+)'", html)}
        published = next((found.parent for found in root.rglob("big-*.bin")), root / "src/static")
        prefixes = tuple(f"/static/{token}" for token in TOKENS) if name in BREAKERS else ()
        yield Site(name, port, root / "src", published, urls, ("/static", *prefixes))


@contextmanager
def _pyramid(root: Path, name: str, *command: str) -> Generator[Site]:
    package = root / "site_of_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    (root / "wsgi.py").write_text(PYRAMID % TOKEN)
    _write(package)
    from urllib.parse import quote

    urls = {one: f"/static/{TOKEN}/{quote(one)}" for one in _NAMES}
    with _served(root, *command) as port:
        prefixes = tuple(f"/static/{token}" for token in TOKENS)
        yield Site(name, port, package, package / "static", urls, prefixes)


SERVERS = {
    "tet-waitress": ("waitress", "--listen=127.0.0.1:{port}", "wsgi:application"),
    "tet-gunicorn": ("gunicorn", "--bind=127.0.0.1:{port}", "--workers=2", "wsgi"),
    "tet-gunicorn-threads": ("gunicorn", "--bind=127.0.0.1:{port}", "--threads=4", "wsgi"),
}
SETTINGS = {
    "asok-production": {},
    "asok-development": {"DEBUG": "true"},
    "asok-release": {"ASOK_ASSETS": "prefix", "ASOK_RELEASE": TOKEN},
}
SITES = (*SETTINGS, *SERVERS)
#: Those whose URLs hold a token.
BREAKERS = ("asok-release", *SERVERS)


@contextmanager
def serve_site(root: Path, name: str) -> Generator[Site]:
    """Write and run the site `name` of `SITES` in `root`."""
    if name in SERVERS:
        with _pyramid(root, name, *SERVERS[name]) as site:
            yield site
    else:
        with _asok(root, name) as site:
            yield site
