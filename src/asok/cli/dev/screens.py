"""The development server's own pages: what failed and where, and which page is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import jinja2

from asok.cli.dev.faults import Fault
from asok.pages import Router

__all__ = ["POLICY", "asset", "failure_screen", "missing_screen"]

_FOLDER: Final = Path(__file__).parent / "files"
_TYPES: Final = {
    "dev.js": "text/javascript",
    "dev.css": "text/css",
    "dev/panel/elements.js": "text/javascript",
    "dev/panel/frames.js": "text/javascript",
    "dev/panel/panel.js": "text/javascript",
    "dev/panel/sections.js": "text/javascript",
    "dev/panel/style.js": "text/javascript",
    "dev/panel/tap.js": "text/javascript",
}
_PLAIN_PATH: Final = re.compile(r"(/[a-zA-Z0-9][-_a-zA-Z0-9]*)+")

#: These pages load nothing but their own two files, whatever the site's policy is.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@cache
def asset(name: str) -> tuple[bytes, str] | None:
    """Return the bytes and the media type of one of our own files, None for other names."""
    kind = _TYPES.get(name)
    if kind is None:
        return None
    return (_FOLDER / name.removeprefix("dev/")).read_bytes(), f"{kind}; charset=utf-8"


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )


def failure_screen(faults: Iterable[Fault], *, asked: str, version: str) -> str:
    """Return the page that shows `faults`; `asked` is the request, such as "GET /"."""
    template = _templates().get_template("failure.html")
    return template.render(faults=tuple(faults), asked=asked, version=version)


def missing_screen(path: str, router: Router, root: Path, *, own: bool, version: str) -> str:
    """Return the page for a path that no route answers; `own` says there is a 404 page."""
    routes = {
        route.pattern: {
            "pattern": route.pattern,
            "href": route.pattern,
            "dynamic": route.dynamic,
            "file": route.file.relative_to(root),
        }
        for route in router.routes
    }
    plain = _PLAIN_PATH.fullmatch(path) is not None
    inner = path.strip("/") if plain else "name"
    return (
        _templates()
        .get_template("missing.html")
        .render(
            path=path,
            file=f"src/pages/{inner}/page.html",
            command=f"asok make page {inner}" if plain else "",
            near=[routes[pattern] for pattern in router.nearest(path)],
            routes=list(routes.values()),
            own=own,
            version=version,
        )
    )
