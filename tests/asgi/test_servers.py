"""One site under every server and mount that is promised, and a clear word under a WSGI one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.services import free_port
from tests.site import environment, serve, wait_until_up, write_site
from websockets.sync.client import connect

SITE = {
    "src/pages/page.html": "{{ component('Hello') }}<form method=post action=/form></form>",
    "src/pages/form/page.py": """
        def get(request):
            return {"token": request.csrf_token, "path": request.path}
        def post(request):
            return request.form["name"]
        def put(request):
            return str(len(request.body))
        """,
    "src/pages/stream/page.py": """
        def get(request):
            yield from ("a", "b")
        """,
    "src/components/Hello.py": """
        from asok import Component

        class Hello(Component):
            name: str = "you"

            def render(self):
                return self.html("hello.html")
        """,
    "src/components/hello.html": "<b>{{ name }}</b>",
    "outer.py": """
        from starlette.applications import Starlette
        from starlette.routing import Mount
        from wsgi import app as site

        app = Starlette(routes=[Mount("/site", app=site)])
        """,
}


@contextmanager
def running(root: Path, *command: str) -> Generator[str]:
    """Run a server as another process at a free port, given as `{port}` in `command`."""
    port = free_port()
    arguments = [part.format(port=port) for part in command]
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://localhost:{port}"
    try:
        wait_until_up(url, process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def check(url: str, mount: str = "") -> None:
    """What every server must do with the site."""
    with httpx.Client(base_url=url + mount) as client:
        home = client.get("/")
        assert home.status_code == 200
        assert "<b>you</b>" in home.text
        form = client.get("/form").json()
        assert form["path"] == "/form"
        fields = {"name": "Ada", "csrf_token": form["token"]}
        assert client.post("/form", data=fields).text == "Ada"
        header = {"x-csrf-token": form["token"]}
        chunked = client.put("/form", content=iter([b"ab", b"c"]), headers=header)
        assert chunked.text == "3"
        assert client.get("/stream").text == "ab"
        head = client.head("/form")
        assert (head.status_code, head.content) == (200, b"")
        assert client.head("/stream").content == b""
        assert client.get("/none").status_code == 404
        assert client.get("/", headers={"host": "a/?x="}).status_code == 400
        assert client.request("DELETE", "/form").headers["allow"] == "GET, HEAD, OPTIONS, POST, PUT"
        evil = client.post("/form", data=fields, headers={"origin": "http://evil.example"})
        assert evil.status_code == 403
        ws = f"{url}{mount}/asok/live".replace("http", "ws", 1)
        cookie = {"cookie": f"asok={client.cookies['asok']}"}
        with connect(ws, origin=url, additional_headers=cookie, proxy=None) as live:  # type: ignore[arg-type]
            live.send("[]")
            assert '"malformed"' in str(live.recv(10))


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_uvicorn(tmp_path: Path, http: str) -> None:
    loop = "uvloop" if http == "httptools" else "asyncio"
    with serve(write_site(tmp_path, SITE), "--loop", loop, "--http", http) as url:
        check(url)


def test_gunicorn_with_workers_of_uvicorn(tmp_path: Path) -> None:
    worker = "uvicorn.workers.UvicornWorker"
    command = ("gunicorn", "-w", "2", "-k", worker, "-b", "localhost:{port}", "wsgi:app")
    with running(write_site(tmp_path, SITE), *command) as url:
        for _ in range(3):
            check(url)


def test_a_mount_in_another_application(tmp_path: Path) -> None:
    command = ("uvicorn", "outer:app", "--port", "{port}")
    with running(write_site(tmp_path, SITE), *command) as url:
        check(url, "/site")


def test_a_wsgi_server_says_what_to_run(tmp_path: Path) -> None:
    command = ("waitress", "--listen=localhost:{port}", "wsgi:app")
    with running(write_site(tmp_path, SITE), *command) as url:
        answer = httpx.get(url)
    assert answer.status_code == 500
    assert "asok preview" in answer.text
