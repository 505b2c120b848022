"""A site with one page of every kind, for exports."""

from __future__ import annotations

BASE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>{% block title %}T{% endblock %}</title>
<link rel="stylesheet" href="{{ static('css/base.css') }}">
<style>h1 { color: rgb(1, 2, 3) }</style>
<script>document.documentElement.dataset.inline = "ran"</script>
<script src="{{ static('js/site.js') }}" type="module"></script>
</head>
<body><main>{% block main %}{% endblock %}</main></body>
</html>
"""

STATIC = "SSG = True\n"


def page(body: str) -> str:
    return '{% extends "html/base.html" %}{% block main %}<h1>x</h1>' + body + "{% endblock %}"


FILES = {
    "src/partials/html/base.html": BASE,
    "src/partials/css/base.css": "body { background: rgb(9, 8, 7); font-family: serif }\n",
    "src/partials/js/site.js": 'document.documentElement.dataset.file = "ran"\n',
    "src/static/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "src/components/Counter.py": (
        "from asok import Component, exposed\n\n\nclass Counter(Component):\n    count: int = 0\n\n"
        "    @exposed\n    def more(self) -> None:\n        self.count += 1\n"
    ),
    "src/components/counter.html": "<button asok-click='more'>{{ count }}</button>",
    "src/pages/page.py": STATIC,
    "src/pages/page.html": page(
        '<a href="/about">a</a><a href="/contact">c</a><a href="/shop/cart">s</a>'
        '<img src="/static/logo.svg" alt="">'
        '<script>document.documentElement.dataset.body = "ran"</script>'
        '{{ "<script>document.documentElement.dataset.injected = 1</script>"|safe }}'
    ),
    "src/pages/about/page.py": STATIC,
    "src/pages/about/page.html": page('<a href="about/team">relative</a>'),
    "src/pages/about/team/page.py": STATIC,
    "src/pages/about/team/page.html": page("<p>team</p>"),
    "src/pages/live/page.py": STATIC,
    "src/pages/live/page.html": page("{{ component('Counter') }}"),
    "src/pages/news/[slug]/page.py": (
        "SSG = True\nREVALIDATE = 60\n"
        "def get_static_paths():\n    return [{'slug': 'a'}]\n"
        "def get(request):\n    return request.html('page.html')\n"
    ),
    "src/pages/news/[slug]/page.html": page("<p>news</p>"),
    "src/pages/list/page.py": "SSG = True\nQUERY = ('page',)\n",
    "src/pages/list/page.html": page("<p>list</p>"),
    "src/pages/form/page.py": (
        "SSG = True\ndef get(request):\n    return request.html('page.html')\n"
        "def post(request):\n    return 'sent'\n"
    ),
    "src/pages/form/page.html": page('<form method="post"><button>go</button></form>'),
    "src/pages/ask/page.py": STATIC,
    "src/pages/ask/page.html": page('<form method="post" action="/hook"></form>'),
    "src/pages/old/page.py": "SSG = True\ndef get(request):\n"
    "    return request.redirect('/about', 301)\n",
    "src/pages/feed.xml/page.py": (
        "SSG = True\ndef get(request):\n"
        "    return '<feed/>', 200, {'content-type': 'application/atom+xml'}\n"
    ),
    "src/pages/secret/page.py": "SSG = True\ndef login(request):\n    return None\n\n\n"
    "GUARDS = (login,)\n",
    "src/pages/secret/page.html": page("<p>secret</p>"),
    "src/pages/contact/page.py": "def get(request):\n    return 'hello'\n",
    "src/pages/hook/page.py": "def post(request):\n    return 'hello'\n",
    "src/pages/404/page.html": page("<p>Nothing: {{ request.state.status }}</p>"),
}
