"""The same counter by NiceGUI and django-unicorn, each in a virtual environment of its own.

The environments are made once, in `~/.cache/asok-benchmarks`. NiceGUI's `reconnect_timeout` is
raised, so that it does not ping the connections that wait for their turn. Both are spoken to as
their own scripts do: NiceGUI by Socket.IO over a WebSocket, django-unicorn by POST.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import httpx
from clicks import Visitor, WebSocketVisitor
from load import Served, running

__all__ = ["Rows", "rows"]

Rows = dict[str, tuple[Served, Callable[[], Visitor]]]

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asok-benchmarks"

NICEGUI = """
import sys
from nicegui import ui

@ui.page("/")
def page():
    count = 0
    label = ui.label("Count: 0")

    def increment():
        nonlocal count
        count += 1
        label.text = f"Count: {count}"

    ui.button("Add 1", on_click=increment)

ui.run(host="127.0.0.1", port=int(sys.argv[1]), reload=False, show=False,
       show_welcome_message=False, reconnect_timeout=60, uvicorn_logging_level="error")
"""

UNICORN = {
    "settings.py": """
SECRET_KEY = "for-benchmarks"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
USE_TZ = True
INSTALLED_APPS = ["django_unicorn", "site_app"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware",
              "django.middleware.csrf.CsrfViewMiddleware"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"],
              "APP_DIRS": True, "OPTIONS": {"context_processors":
              ["django.template.context_processors.request"]}}]
UNICORN = {"APPS": ["site_app"]}
STATIC_URL = "/static/"
""",
    "urls.py": """
from django.shortcuts import render
from django.urls import include, path
urlpatterns = [
    path("", lambda request: render(request, "page.html")),
    path("unicorn/", include("django_unicorn.urls")),
]
""",
    "apps.py": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.wsgi import get_wsgi_application
wsgi = get_wsgi_application()
""",
    "site_app/__init__.py": "",
    "site_app/components/__init__.py": "",
    "site_app/components/counter.py": """
from django_unicorn.components import UnicornView

class CounterView(UnicornView):
    count = 0

    def increment(self):
        self.count += 1
""",
    "templates/unicorn/counter.html": """<div>
  <h3>Count: {{ count }}</h3>
  <button unicorn:click="increment">Add 1</button>
</div>
""",
    "templates/page.html": """{% load unicorn %}<html><head>{% unicorn_scripts %}</head>
<body>{% csrf_token %}{% unicorn 'counter' %}</body></html>
""",
}


class NiceGui(WebSocketVisitor):
    """A browser of NiceGUI: Engine.IO 4, Socket.IO 5, `event` up and `update` down."""

    def __init__(self, url: str) -> None:
        page = httpx.get(url, verify=False).text
        client = _found(r"'client_id': '([^']+)'", page)
        listener = _found(r'"label":"Add 1".*?"listener_id":"([^"]+)"', page)
        button = int(_found(r'"(\d+)":\{"tag":"q-btn"', page))
        query = urlencode(
            {"client_id": client, "next_message_id": 0, "implicit_handshake": "true",
             "document_id": client, "tab_id": client, "old_tab_id": "", "EIO": 4,
             "transport": "websocket"}
        )  # fmt: skip
        self.open(url, f"/_nicegui_ws/socket.io/?{query}", origin=url)
        event: dict[str, object] = {
            "id": button,
            "client_id": client,
            "listener_id": listener,
            "args": [],
        }
        self._click = "42" + json.dumps(["event", event], separators=(",", ":"))
        self._wanted = b"0{"  # the greeting of Engine.IO
        self.wait()
        self._wanted = b"40"  # and of Socket.IO
        self.send("40")
        self.wait()
        self._wanted = b'42["update"'

    def text(self) -> str:
        return self._click

    def answers(self, payload: bytes) -> bool:
        if payload == b"2":  # Engine.IO's own ping
            self.send("3")
        return payload.startswith(self._wanted)


class Unicorn(Visitor):
    """A browser of django-unicorn: one POST for each click, over one connection."""

    def __init__(self, url: str) -> None:
        answer = httpx.get(url, verify=False)
        page = answer.text
        token = _found(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        self._id = _found(r'unicorn:id="([^"]+)"', page)
        self._data: object = {"count": 0}
        self._meta = _found(r'unicorn:meta="([^"]+)"', page)
        self._hash = ""
        self._epoch = 0
        self._head = (
            f"POST /unicorn/message/counter HTTP/1.1\r\nhost: {url.removeprefix('http://')}\r\n"
            f"cookie: csrftoken={answer.cookies['csrftoken']}\r\nx-csrftoken: {token}\r\n"
            "accept: application/json\r\nx-requested-with: XMLHttpRequest\r\n"
            "content-type: text/plain;charset=UTF-8\r\ncontent-length: "
        )
        self._rest = b""
        self.connect(url)

    def click(self) -> bytes:
        self._epoch += 1
        body = {
            "id": self._id, "data": self._data, "meta": f"{self._meta}:{self._hash}:{self._epoch}",
            "actionQueue": [{"type": "callMethod", "payload": {"name": "increment"}}],
        }  # fmt: skip
        self.up = json.dumps(body, separators=(",", ":")).encode()
        return f"{self._head}{len(self.up)}\r\n\r\n".encode() + self.up

    def take(self, data: bytes) -> bool:
        self._rest += data
        head, separator, body = self._rest.partition(b"\r\n\r\n")
        if not separator:
            return False
        size = int(_found(r"content-length: (\d+)", head.decode().lower()))
        if len(body) < size:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"django-unicorn answered {head.decode()} {body.decode()}")
        self._rest, self.down = b"", body
        said = json.loads(body)
        self._data = said["data"]
        self._meta, _, rest = said["meta"].partition(":")
        self._hash = rest.partition(":")[0]
        return True


def rows(root: Path, stack: ExitStack) -> Rows:
    """Serve both; where that is not possible here, it is said and the row is missing."""
    found: Rows = {}
    for name, packages, serve in (
        ("NiceGUI", ["nicegui"], _nicegui),
        ("django-unicorn", ["django-unicorn", "gunicorn"], _unicorn),
    ):
        try:
            python = _environment(name, packages)
            asked = f"import importlib.metadata as m; print(m.version({packages[0]!r}))"
            version = subprocess.check_output([python, "-c", asked], text=True).strip()
            served, visitor = serve(python, root, stack)
            visitor(served)
        except (OSError, ValueError, KeyError, subprocess.CalledProcessError, SystemExit) as error:
            print(f"  {name} was not measured: {error}")
            continue
        found[f"{name} {version}"] = (served, lambda made=visitor, url=served: made(url))
    return found


def _nicegui(python: Path, root: Path, stack: ExitStack) -> tuple[Served, Callable[[str], Visitor]]:
    folder = root / "nicegui"
    folder.mkdir()
    (folder / "app.py").write_text(NICEGUI)
    command = [str(python), "app.py", "{port}"]
    return stack.enter_context(running(command, folder, _plain())), NiceGui


def _unicorn(python: Path, root: Path, stack: ExitStack) -> tuple[Served, Callable[[str], Visitor]]:
    for name, text in UNICORN.items():
        file = root / "unicorn" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = [
        str(python), "-m", "gunicorn", "-w", "1", "-k", "gthread", "--threads", "16",
        "-b", "127.0.0.1:{port}", "--log-level", "error", "--keep-alive", "60", "apps:wsgi",
    ]  # fmt: skip
    return stack.enter_context(running(command, root / "unicorn", _plain())), Unicorn


def _environment(name: str, packages: Sequence[str]) -> Path:
    """The Python of a virtual environment that has `packages`."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    done = folder / "done"
    if not done.is_file():
        print(f"  installing {name} into {folder}", flush=True)
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *packages],
        ):
            subprocess.run(command, check=True, env=_plain(), capture_output=True)
        done.touch()
    return python


def _plain() -> dict[str, str]:
    """This environment without what points Python at our own packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.DOTALL)
    if match is None:
        raise ValueError(f"{pattern} is not in what it sent: {text[:500]}")
    return match[1]
