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


_LIVE = """\
from asok import Component
from asok.component import exposed


class {name}(Component):
    count = 0

    @exposed
    {kind}def increment(self):
        self.count += 1

    def render(self):
        return self.html("counter.html")
"""

_COUNTER = """\
<div>
  <h3>Count: {{ count }}</h3>
  <button ws-click="increment">Add 1</button>
</div>
"""

_TABLE = """\
from asok import Component
from asok.component import exposed


class Table(Component):
    changes = 0
    changed = -1

    @exposed
    async def rename(self):
        self.changes += 1
        self.changed = self.changes * 37 % 200
"""

_TABLE_HTML = """\
<table>
  <thead><tr><th>Number</th><th>Name</th><th>Town</th><th>Sum</th></tr></thead>
  <tbody>
  {% for n in range(200) %}
    <tr key="{{ n }}"><td>{{ n }}</td>
    <td>{% if n == changed %}A new name, {{ changes }}{% else %}Customer {{ n }}{% endif %}</td>
    <td>Town of customer {{ n }}</td><td>{{ n * 1234 }}</td></tr>
  {% endfor %}
  </tbody>
</table>
"""

_OTHER = """\
from asok import Component
from asok.component import exposed


class Other(Component):
    turned = False

    @exposed
    async def turn(self):
        self.turned = not self.turned
"""

#: Answers `/echo` itself: on the same server, in the same process as the components.
_ECHO = """\
from asok import Asok


class Site(Asok):
    async def __call__(self, scope, receive, send):
        if scope["type"] != "websocket" or scope["path"] != "/echo":
            await super().__call__(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            await send({"type": "websocket.send", "text": message["text"]})


app = Site()
"""


def live_site(root: Path) -> Path:
    """The documented counter, with a sync and with an async method, and a table of 200 rows."""

    def page(name: str) -> str:
        return (
            '{% extends "html/base.html" %}{% block main %}'
            f"{{{{ component('{name}') }}}}{{% endblock %}}"
        )

    return write(
        root,
        {
            "src/components/Counter.py": _LIVE.format(name="Counter", kind=""),
            "src/components/QuickCounter.py": _LIVE.format(name="QuickCounter", kind="async "),
            "src/components/counter.html": _COUNTER,
            "src/components/Table.py": _TABLE,
            "src/components/table.html": _TABLE_HTML,
            "src/components/Other.py": _OTHER,
            "src/components/other.html": "{% if turned %}<b>on</b>{% else %}<i>off</i>{% endif %}",
            "src/pages/page.html": page("Counter"),
            "src/pages/quick/page.html": page("QuickCounter"),
            "src/pages/frozen/page.py": "SSG = True\n",
            "src/pages/frozen/page.html": page("QuickCounter"),
            "src/pages/table/page.html": page("Table"),
            "src/pages/other/page.html": page("Other"),
            "wsgi.py": _ECHO,
        },
    )
