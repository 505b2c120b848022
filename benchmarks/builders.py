"""The same site for three builders: a folder of texts, each shown by one template."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sites import PARAGRAPH, write

_HUGO = """\
baseURL = "https://example.org/"
disableKinds = ["taxonomy", "term", "RSS", "sitemap", "robotsTXT", "404", "section", "home"]
"""
_HEAD = '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>'
_TAIL = '</head>\n<body><nav><a href="/">Home</a></nav><main><article><h1>'


def asok(root: Path, count: int) -> Path:
    """A site whose pages read a file each."""
    write(
        root,
        {
            "src/pages/page.py": "SSG = True\n",
            "src/pages/page.html": '{% extends "html/base.html" %}',
            "src/pages/blog/[slug]/page.py": (
                "from pathlib import Path\n"
                "SSG = True\n"
                "CONTENT = Path(__file__).parents[4] / 'content'\n"
                "def get_static_paths():\n"
                "    return [{'slug': file.stem} for file in CONTENT.iterdir()]\n"
                "def get(request):\n"
                "    slug = request.params['slug']\n"
                "    title = (CONTENT / f'{slug}.txt').read_text()\n"
                "    return request.html('post.html', slug=slug, title=title)\n"
            ),
            "src/pages/blog/[slug]/post.html": (
                '{% extends "html/base.html" %}{% block title %}{{ title }}{% endblock %}'
                "{% block main %}<article><h1>{{ title }}</h1>"
                "{% for n in range(6) %}<h2>Part {{ n }}</h2>" + PARAGRAPH + "{% endfor %}"
                '<a href="/blog/{{ slug }}">{{ slug }}</a></article>{% endblock %}'
            ),
        },
    )
    (root / "content").mkdir()
    for number in range(count):
        (root / f"content/post-{number}.txt").write_text(f"Post {number}")
    return root


def hugo(root: Path, count: int) -> list[str] | None:
    """Write Hugo's site; returns the command that builds it into `public`, None without Hugo."""
    program = shutil.which("hugo")
    if program is None:
        return None
    layout = (
        _HEAD + "{{ .Title }}</title>"
        '{{ with resources.Get "base.css" | minify | fingerprint }}'
        '<link rel="stylesheet" href="{{ .RelPermalink }}">{{ end }}' + _TAIL + "{{ .Title }}</h1>"
        "{{ range seq 0 5 }}<h2>Part {{ . }}</h2>" + PARAGRAPH + "{{ end }}"
        '<a href="{{ .RelPermalink }}">{{ .File.ContentBaseName }}</a></article></main></body>'
        "\n</html>\n"
    )
    files = {
        "hugo.toml": _HUGO,
        "layouts/_default/single.html": layout,
        "assets/base.css": "body { margin: 2rem; }\n",
    }
    for number in range(count):
        files[f"content/blog/post-{number}.md"] = f"---\ntitle: Post {number}\n---\n"
    _write(root, files)
    return [program, "--quiet"]


def eleventy(root: Path, count: int) -> list[str] | None:
    """The same for Eleventy, which is installed into `root`; None without Node."""
    if shutil.which("npm") is None:
        return None
    layout = (
        _HEAD + '{{ title }}</title><link rel="stylesheet" href="/base.css">' + _TAIL
        + "{{ title }}</h1>"
        "{% for n in range(0, 6) %}<h2>Part {{ n }}</h2>" + PARAGRAPH + "{% endfor %}"
        '<a href="{{ page.url }}">{{ page.fileSlug }}</a></article></main></body>\n</html>\n'
    )  # fmt: skip
    files = {
        "package.json": '{"private": true}\n',
        "input/_includes/post.njk": layout,
        "input/blog/blog.json": '{"layout": "post.njk"}\n',
    }
    for number in range(count):
        files[f"input/blog/post-{number}.md"] = f"---\ntitle: Post {number}\n---\n"
    _write(root, files)
    installed = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "@11ty/eleventy@3.0.0"],
        cwd=root,
        check=False,
    )
    if installed.returncode != 0:
        return None
    return ["node_modules/.bin/eleventy", "--quiet", "--input=input", "--output=public"]


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
