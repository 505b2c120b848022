"""Sites to measure, written into a folder."""

from __future__ import annotations

from pathlib import Path

KEY = "a-key-for-benchmarks-" * 2
PARAGRAPH = (
    "<p>" + "A sentence that a reader of this page would read, and then another. " * 4 + "</p>\n"
)

BASE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{% block title %}A site{% endblock %}</title>
<link rel="stylesheet" href="{{ static('css/base.css') }}"></head>
<body><nav><a href="/">Home</a></nav><main>{% block main %}{% endblock %}</main></body>
</html>
"""


def write(root: Path, files: dict[str, str]) -> Path:
    """Write a site."""
    everything = {
        "wsgi.py": "from asok import Asok\n\napp = Asok()\n",
        ".env": f"SECRET_KEY={KEY}\n",
        "src/partials/html/base.html": BASE,
        "src/partials/css/base.css": "body { margin: 2rem; }\n",
        # A build refuses links and forms that lead nowhere.
        "src/pages/page.html": "<h1>Home</h1>",
        "src/pages/send/page.py": "def post(request):\n    return 'thanks'\n",
        **files,
    }
    for name, text in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def page_of_12_kb(holes: bool) -> str:
    """A template of about 12 KB, with a nonce and a CSRF token or without."""
    extra = (
        '<script>document.documentElement.dataset.ready = "yes"</script>'
        '<form method="post" action="/send"><input name="q"><button>Send</button></form>'
        if holes
        else ""
    )
    body = PARAGRAPH * (11_600 // len(PARAGRAPH))
    return (
        '{% extends "html/base.html" %}{% block main %}<h1>Title</h1>'
        f"{extra}{body}{{% endblock %}}"
    )


#: Counts its renders in a file, one byte each.
_COUNTED = """
SSG = True
REVALIDATE = 3600
def get(request):
    with open("renders-{name}", "a") as log:
        log.write(".")
    return request.html("page.html")
"""


def hits(root: Path) -> Path:
    """Two stored pages of 12 KB."""
    return write(
        root,
        {
            "src/pages/holes/page.py": _COUNTED.format(name="holes"),
            "src/pages/holes/page.html": page_of_12_kb(True),
            "src/pages/plain/page.py": _COUNTED.format(name="plain"),
            "src/pages/plain/page.html": page_of_12_kb(False),
        },
    )


def posts(root: Path, count: int) -> Path:
    """`count` posts of one dynamic route, each of about 2 KB."""
    return write(
        root,
        {
            "src/pages/page.py": "SSG = True\n",
            "src/pages/page.html": '{% extends "html/base.html" %}',
            "src/pages/blog/[slug]/page.py": (
                "SSG = True\n"
                f"POSTS = {{f'post-{{n}}': f'Post {{n}}' for n in range({count})}}\n"
                "def get_static_paths():\n"
                "    return [{'slug': slug} for slug in POSTS]\n"
                "def get(request):\n"
                "    slug = request.params['slug']\n"
                "    return request.html('post.html', slug=slug, title=POSTS[slug])\n"
            ),
            "src/pages/blog/[slug]/post.html": (
                '{% extends "html/base.html" %}{% block title %}{{ title }}{% endblock %}'
                "{% block main %}<article><h1>{{ title }}</h1>"
                "{% for n in range(6) %}<h2>Part {{ n }}</h2>" + PARAGRAPH + "{% endfor %}"
                '<a href="/blog/{{ slug }}">{{ slug }}</a></article>{% endblock %}'
            ),
        },
    )
