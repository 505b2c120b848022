"""A site of every kind of page, served by several workers that write down what they were asked."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.site import build, running, write_site

__all__ = ["Origin", "serve_origin"]

WORKERS = 3

SITE = {
    # Every request that reaches the site is a line in asked.jsonl, whichever worker answers.
    "counted.py": """
        import json, os
        from wsgi import app as site

        log = os.open("asked.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

        async def app(scope, receive, send):
            if scope["type"] == "http":
                headers = {name.decode("latin-1"): value.decode("latin-1")
                           for name, value in scope["headers"]}
                line = {"method": scope["method"], "path": scope["path"], "headers": headers}
                os.write(log, json.dumps(line).encode() + b"\\n")
            await site(scope, receive, send)
        """,
    "src/pages/page.html": "<h1>Home</h1>",
    # Public: nothing in it is anybody's.
    "src/pages/public/[slug]/page.py": """
        import os
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return []
        def get(request):
            slug = request.params["slug"]
            with open("renders", "a") as log:
                log.write(slug + "\\n")
            return request.html("public.html", slug=slug)
        """,
    "src/pages/public/[slug]/public.html": """
        {% extends "html/base.html" %}
        {% block title %}{{ slug }}{% endblock %}
        {% block main %}<h1>{{ slug }}</h1>{% for n in range(200) %}<p>A paragraph {{ n }}</p>
        {% endfor %}{% endblock %}
        """,
    # Renders again after a second, and says which render it is.
    "src/pages/news/[slug]/page.py": """
        import os
        SSG = True
        REVALIDATE = 1
        def get_static_paths():
            return []
        def get(request):
            name = "count-" + request.params["slug"]
            with open(name, "a") as log:
                log.write(".")
            return f"<p>render {os.path.getsize(name)}</p>"
        """,
    # Is due every second too, and never changes.
    "src/pages/still/[slug]/page.py": """
        SSG = True
        REVALIDATE = 1
        def get_static_paths():
            return []
        def get(request):
            return "<p>still</p>" * 300
        """,
    # Fresh for so long that its age is seen to count.
    "src/pages/aging/[slug]/page.py": """
        SSG = True
        REVALIDATE = 20
        def get_static_paths():
            return []
        def get(request):
            return "<p>" + request.params["slug"] + "</p>"
        """,
    # Renewed on demand, by anybody who asks here.
    "src/pages/posts/[slug]/page.py": """
        import os
        SSG = True
        REVALIDATE = 2
        TAGS = ("posts",)
        def get_static_paths():
            return []
        def get(request):
            name = "text-" + request.params["slug"]
            return "<p>" + (open(name).read() if os.path.exists(name) else "first") + "</p>"
        """,
    "src/pages/renew/page.py": """
        from asok import revalidate_path, revalidate_tag
        CSRF = False
        def post(request):
            slug, text = request.form["slug"], request.form["text"]
            with open("text-" + slug, "w") as file:
                file.write(text)
            if request.form["by"] == "tag":
                revalidate_tag("posts", block=True)
            else:
                revalidate_path("/posts/" + slug, block=True)
            return "done"
        """,
    "src/pages/once/page.py": "SSG = True",
    "src/pages/once/page.html": '{% extends "html/base.html" %}{% block main %}once{% endblock %}',
    # Frozen, with a visitor's own nonce and token.
    "src/pages/form/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return []
        def get(request):
            return request.html("form.html", slug=request.params["slug"])
        """,
    "src/pages/form/[slug]/form.html": """
        {% extends "html/base.html" %}
        {% block main %}<h1>{{ slug }}</h1><script>1</script>
        <form method="post" action="/enter"><button>Send</button></form>{% endblock %}
        """,
    # Rendered for each visitor.
    "src/pages/account/page.py": """
        def get(request):
            return f"account of {request.session.get('user')}"
        """,
    "src/pages/enter/page.py": """
        def get(request):
            return request.csrf_token
        def post(request):
            request.session.login(user=request.form["name"])
            return request.csrf_token
        """,
    "src/pages/cached/page.py": """
        from asok.cache import cache_page
        @cache_page(ttl=3600)
        def get(request):
            return request.html("cached.html")
        """,
    "src/pages/cached/cached.html": """
        {% extends "html/base.html" %}
        {% block main %}<script>1</script><form method="post" action="/enter"></form>{% endblock %}
        """,
    "src/pages/members/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return []
        def guard(request):
            return None if request.session.get("user") else ("no", 403)
        GUARDS = (guard,)
        def get(request):
            return "<p>for members</p>"
        """,
    "src/pages/search/page.py": """
        def get(request):
            return f"<p>found {request.args.get('q', 'nothing')}</p>"
        """,
    "src/partials/html/base.html": """\
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <title>{% block title %}Test{% endblock %}</title>
        <link rel="stylesheet" href="{{ static('css/base.css') }}"></head>
        <body>{% block main %}{% endblock %}</body></html>
        """,
    "src/partials/css/base.css": "body { margin: 2rem; color: #222 }\n" * 60,
}


@dataclass(frozen=True)
class Origin:
    """The site as it runs: its URL, its folder and the process of its workers' parent."""

    url: str
    root: Path
    pid: int

    def asked(self, path: str | None = None) -> list[dict[str, str]]:
        """The requests that reached the site, for `path` only where it is given."""
        log = self.root / "asked.jsonl"
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [line for line in lines if path is None or line["path"] == path]

    def renders(self, slug: str) -> int:
        """How often a public page was rendered."""
        log = self.root / "renders"
        return log.read_text().splitlines().count(slug) if log.exists() else 0


@contextmanager
def serve_origin(
    root: Path, files: dict[str, str] | None = None, *, workers: int = WORKERS, **variables: str
) -> Generator[Origin]:
    """Build the site (with `files` beside its own) in `root` and serve it by several workers."""
    write_site(root, {**SITE, **(files or {})})
    build(root, **variables)
    command = ("-m", "uvicorn", "counted:app", "--host", "127.0.0.1", "--port", "{port}")
    options = ("--workers", str(workers), "--no-access-log")
    with running(root, *command, *options, port=None, log=None, **variables) as (url, process):
        yield Origin(url.replace("localhost", "127.0.0.1"), root, process.pid)
