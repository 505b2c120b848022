"""A generated site that uses everything a page can be made from, and builds of it to compare."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from tests.site import load_site, write_site

from asok import Asok, dependencies, site_modules
from asok.assets import build_assets, site_roots
from asok.contents import remembering
from asok.pages import Release, Report

__all__ = ["EDITS", "FILES", "Builder", "contents"]

_POST = "<!doctype html><title>{{ slug }}</title>{% include 'nav.html' %}{{ text }}"
FILES = {
    "src/partials/css/base.css": "body { color: red }\n",
    "src/partials/css/post.css": "p { color: red }\n",
    "src/partials/html/base.html": (
        "<!doctype html><title>{% block title %}{% endblock %}</title>"
        "<link rel=stylesheet href=\"{{ static('css/base.css') }}\">"
        "{% include 'nav.html' %}{% block main %}{% endblock %}"
        "{% cache 'side' 60 %}{% include 'html/side.html' %}{% endcache %}"
    ),
    "src/partials/nav.html": "<nav>nav</nav>",
    "src/partials/html/side.html": "<aside>side</aside>",
    "src/partials/html/macros.html": "{% macro loud(x) %}<b>{{ x }}</b>{% endmacro %}",
    "src/lib/memo.py": (
        "from functools import lru_cache\nfrom pathlib import Path\n"
        "DATA = Path(__file__).parents[2] / 'data'\n"
        "@lru_cache\ndef menu():\n    return (DATA / 'menu.txt').read_text()\n"
    ),
    "src/lib/eager.py": (
        "from pathlib import Path\n"
        "TEXT = (Path(__file__).parents[2] / 'data' / 'eager.txt').read_text()\n"
    ),
    "src/lib/words.py": "GREETING = 'hello'\n",
    "src/models/note.py": (
        "from asok.models import Model, Mapped\n"
        "class Note(Model):\n    __tablename__ = 'notes'\n    text: Mapped[str]\n"
    ),
    "src/components/Badge.py": (
        "from asok.component import Component\nclass Badge(Component):\n    label: str = ''\n"
    ),
    "src/components/badge.html": "<i>{{ label }}</i>",
    "src/pages/page.py": (
        "from src.lib.words import GREETING\nSSG = True\n"
        "def get(request):\n    return request.html('page.html', word=GREETING)\n"
    ),
    "src/pages/page.html": (
        "{% extends 'html/base.html' %}{% from 'html/macros.html' import loud %}"
        "{% block main %}{{ loud(word) }}{% endblock %}"
    ),
    "src/pages/blog/[slug]/page.py": (
        "from pathlib import Path\nSSG = True\n"
        "CONTENT = Path(__file__).parents[4] / 'content'\n"
        "def get_static_paths():\n"
        "    return [{'slug': file.stem} for file in sorted(CONTENT.glob('*.md'))]\n"
        "def get(request):\n    slug = request.params['slug']\n"
        "    text = (CONTENT / f'{slug}.md').read_text()\n"
        "    return request.html('post.html', slug=slug, text=text)\n"
    ),
    "src/pages/blog/[slug]/post.html": _POST,
    "src/pages/menu/[n:int]/page.py": (
        "from src.lib.memo import menu\nSSG = True\n"
        "def get_static_paths():\n    return [{'n': n} for n in range(3)]\n"
        "def get(request):\n    return f\"<p>{request.params['n']} {menu()}</p>\"\n"
    ),
    "src/pages/eager/page.py": (
        "from src.lib.eager import TEXT\nSSG = True\n"
        "def get(request):\n    return f'<p>{TEXT}</p>'\n"
    ),
    "src/pages/notes/page.py": (
        "from models import Note\nSSG = True\n"
        "def get(request):\n    return f'<p>{Note.query().pluck(\"text\")}</p>'\n"
    ),
    "src/pages/tagged/page.py": (
        "from models import Note\nSSG = True\nTAGS = ('notes',)\n"
        "def get(request):\n    return f'<p>{Note.query().pluck(\"text\")}</p>'\n"
    ),
    "src/pages/parts/page.py": "SSG = True\nREVALIDATE = 3600\n",
    "src/pages/parts/page.html": (
        "<!doctype html><link rel=stylesheet href=\"{{ static('css/post.css') }}\">"
        "{{ component('Badge', label='new') }}"
    ),
    "data/menu.txt": "menu",
    "data/eager.txt": "eager",
    "content/a.md": "text a",
    "content/b.md": "text b",
    "content/c.md": "text c",
}


class Builder:
    """Builds the site at `root`, as `asok build` does, in this process."""

    def __init__(self, root: Path) -> None:
        self.root = write_site(root, FILES)
        with closing(sqlite3.connect(root / "db.sqlite3")) as database:
            database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text VARCHAR NOT NULL)")
            database.commit()

    def app(self, **settings: Any) -> Asok:
        """The site, imported anew."""
        site_modules.uninstall()
        return load_site(self.root, **settings)

    def build(
        self, *, full: bool = False, workers: int = 1, folder: Path | None = None, **more: Any
    ) -> tuple[Report, Release]:
        """Build it; with `folder` the release goes there instead of `.asok/ssg_cache`."""
        site_modules.uninstall()
        memory = self.root / ".asok/ssg_cache/contents"
        with remembering(memory), dependencies.watch(self.root):
            build_assets(site_roots(self.root), self.root / ".asok" / "assets")
            app = load_site(self.root, **more)
            if folder is not None:
                app.__class__ = type("Elsewhere", (Asok,), {"store_folder": folder})
            return app.freeze(full=full, workers=workers)

    def write(self, name: str, text: str) -> None:
        """Write a file of the site."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def note(self, text: str) -> None:
        """Add a row, and tell the tag as a model's write does."""
        with closing(sqlite3.connect(self.root / "db.sqlite3")) as database:
            database.execute("INSERT INTO notes (text) VALUES (?)", (text,))
            database.commit()
        self.app().store.invalidate_tag("notes", time.time(), block=False)


def contents(release: Release) -> dict[str, object]:
    """What visitors get of every page: its record but for the times, and its body."""
    found: dict[str, object] = {}
    for path, record in release.records.items():
        plain = msgspec.structs.replace(record, rendered_at=0.0, moment=0.0)
        body = Path(release.bodies, record.body).read_bytes()
        found[path] = json.dumps(msgspec.to_builtins(plain), sort_keys=True), body
    return found


def _append(name: str, text: str) -> Callable[[Builder, Random], None]:
    def edit(site: Builder, random: Random) -> None:
        before = (site.root / name).read_text()
        site.write(name, before + text.replace("@", str(random.randrange(10**6))))

    return edit


def _toggle(name: str, text: str) -> Callable[[Builder, Random], None]:
    def edit(site: Builder, random: Random) -> None:
        if (site.root / name).exists():
            (site.root / name).unlink()
        else:
            site.write(name, text.replace("@", str(random.randrange(10**6))))

    return edit


EDITS: dict[str, Callable[[Builder, Random], None]] = {
    "a base template": _append("src/partials/html/base.html", "<!-- @ -->"),
    "an included template": _append("src/partials/nav.html", "<!-- @ -->"),
    "a cached fragment": _append("src/partials/html/side.html", "<!-- @ -->"),
    "a macro": _append("src/partials/html/macros.html", "{% macro m@() %}{% endmacro %}"),
    "a page's template": _append("src/pages/blog/[slug]/post.html", "<!-- @ -->"),
    "a template beside the page": _toggle("src/pages/blog/[slug]/nav.html", "<nav>@</nav>"),
    "a template found earlier": _toggle("src/components/html/side.html", "<aside>@</aside>"),
    "a twin of a template": _toggle("src/partials/html/extra.asok", "@"),
    "a component's template": _append("src/components/badge.html", "<!-- @ -->"),
    "a component's class": _append("src/components/Badge.py", "# @\n"),
    "an asset": _append("src/partials/css/base.css", "p { width: @px }\n"),
    "another asset": _append("src/partials/css/post.css", "p { width: @px }\n"),
    "a page's module": _append("src/pages/menu/[n:int]/page.py", "NUMBER = @\n"),
    "a shared module": _append("src/lib/words.py", "GREETING = 'hello @'\n"),
    "a file that one page reads": _append("content/a.md", " @"),
    "a file that is kept": _append("data/menu.txt", " @"),
    "a file read at import": _append("data/eager.txt", " @"),
    "a new page": _toggle("content/d.md", "text @"),
    "a new route": _toggle("src/pages/new/page.py", "SSG = True\ndef get(request): return '@'\n"),
    "a row": lambda site, random: site.note(f"row {random.randrange(100)}"),
    "nothing": lambda site, random: None,
}
