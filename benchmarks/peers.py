"""The same page at others: Django behind its cache middleware, and Next.js with `revalidate`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from load import running, server
from sites import BASE, PARAGRAPH

SETTINGS = """
SECRET_KEY = "for-benchmarks"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
USE_TZ = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CACHE_MIDDLEWARE_SECONDS = 3600
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.cache.UpdateCacheMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["."]}]
"""
URLS = """
from django.shortcuts import render
from django.urls import path
urlpatterns = [path("", lambda request: render(request, "page.html"))]
"""
APPS = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
asgi, wsgi = get_asgi_application(), get_wsgi_application()
"""

NEXT_PAGE = """
export const revalidate = 3600;
const text = %s;
export default function Page() {
  return <main><h1>Title</h1>{Array.from({ length: %d }, (_, n) => <p key={n}>{text}</p>)}</main>;
}
"""
NEXT_LAYOUT = """
export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
"""


def django(folder: Path, environment: Mapping[str, str], stack: ExitStack) -> dict[str, str]:
    """Serve a page of 12 KB by Django; returns URLs by the name of the row, empty without it."""
    if find_spec("django") is None:
        print("Django is left out: it is not installed (pip install 'asok[bench]').")
        return {}
    folder.mkdir()
    body = PARAGRAPH * (11_600 // len(PARAGRAPH))
    page = BASE.replace("{{ static('css/base.css') }}", "/static/base.css").replace(
        "{% block main %}{% endblock %}", f"<h1>Title</h1>{body}"
    )
    for name, text in (("settings", SETTINGS), ("urls", URLS), ("apps", APPS)):
        (folder / f"{name}.py").write_text(text)
    (folder / "page.html").write_text(page)
    found = {
        "Django's cache middleware, uvicorn": stack.enter_context(
            server("apps:asgi", folder, {**environment, "DJANGO_SETTINGS_MODULE": "settings"})
        )
    }
    if find_spec("gunicorn") is not None:
        command = [
            sys.executable, "-m", "gunicorn", "-w", "1", "-k", "gthread", "--threads", "4",
            "-b", "127.0.0.1:{port}", "--log-level", "warning", "--keep-alive", "60", "apps:wsgi",
        ]  # fmt: skip
        found["Django's cache middleware, gunicorn"] = stack.enter_context(
            running(command, folder, environment)
        )
    return found


def next_js(folder: Path, environment: Mapping[str, str], stack: ExitStack) -> dict[str, str]:
    """Build and serve a page of 12 KB by Next.js; empty where that isn't possible here."""
    npm, npx = shutil.which("npm"), shutil.which("npx")
    if npm is None or npx is None:
        print("Next.js is left out: Node is not installed.")
        return {}
    count = 11_600 // len(PARAGRAPH)
    text = PARAGRAPH.strip().removeprefix("<p>").removesuffix("</p>")
    (folder / "app").mkdir(parents=True)
    (folder / "app/page.js").write_text(NEXT_PAGE % (json.dumps(text), count))
    (folder / "app/layout.js").write_text(NEXT_LAYOUT)
    (folder / "package.json").write_text(
        '{"private": true, "dependencies": {"next": "^16", "react": "^19", "react-dom": "^19"}}'
    )
    quiet = {**environment, "NEXT_TELEMETRY_DISABLED": "1"}
    for command in ([npm, "install", "--no-audit", "--no-fund"], [npx, "next", "build"]):
        done = subprocess.run(
            command, cwd=folder, env=quiet, capture_output=True, text=True, timeout=600
        )
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            print(f"Next.js is left out: {' '.join(command[-2:])} failed: {''.join(last)}")
            return {}
    node = shutil.which("node") or "node"
    start = [node, "node_modules/next/dist/bin/next", "start", "-p", "{port}", "-H", "127.0.0.1"]
    url = stack.enter_context(running(start, folder, {**quiet, "NODE_ENV": "production"}))
    version = json.loads((folder / "node_modules/next/package.json").read_text())["version"]
    return {f"Next.js {version}, revalidate": url}
