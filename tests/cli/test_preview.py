from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest

from ..services import free_port, wait_until
from .conftest import Spawn, clean_environment

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Preview:
    """`asok preview` of a built site."""

    def __init__(self, site: Path, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asok", "preview", *arguments],
            cwd=site,
            env={**clean_environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said: list[str] = []
        for line in self.process.stdout:
            said.append(_STYLE.sub("", line))
            found = re.search(r"http://[^/]+:(\d+)", said[-1])
            if found is not None:
                self.line, self.url = said[-1], found[0]
                return
        pytest.fail(f"it ended: {said}")

    def answers(self) -> bool:
        try:
            return httpx.get(self.url, timeout=5).status_code == 200
        except httpx.TransportError:
            return False


Start = Callable[..., Preview]


@pytest.fixture
def preview() -> Generator[Start]:
    running: list[Preview] = []

    def start(site: Path, *arguments: str, **environment: str) -> Preview:
        server = Preview(site, *arguments, **environment)
        running.append(server)
        wait_until(server.answers, what=f"an answer of {server.line}", limit=40)
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.process.terminate()
        try:
            server.process.wait(20)
        finally:
            server.process.kill()
            assert server.process.stdout is not None
            server.process.stdout.close()


PAGES = {
    "pid": "import os\ndef get(request): return str(os.getpid())\n",
    "slow": (
        "import pathlib, time\n"
        "def get(request):\n"
        "    pathlib.Path('begun').touch()\n"
        "    time.sleep(1)\n"
        "    return 'done'\n"
    ),
}


@pytest.fixture
def built(site: Path, spawn: Spawn) -> Path:
    """The site, with two pages made for every request, built."""
    for name, source in PAGES.items():
        (site / "src/pages" / name).mkdir()
        (site / "src/pages" / name / "page.py").write_text(source)
    result = spawn("build", cwd=site)
    assert result.returncode == 0, result.stderr
    return site


def test_built_site_is_served_as_in_production(preview: Start, built: Path) -> None:
    server = preview(built, "--port", "0")
    assert "site is served at http://127.0.0.1:" in server.line
    assert "by 1 process" in server.line
    page = httpx.get(server.url)
    assert "Count: 10" in page.text
    assert "asok/dev" not in page.text
    sheet = re.search(r'href="(/static/css/base[^"]+\.css)"', page.text)
    assert sheet is not None
    asset = httpx.get(server.url + sheet[1])
    assert "immutable" in asset.headers["cache-control"]
    missing = httpx.get(server.url + "/none", headers={"accept": "text/html"})
    assert missing.status_code == 404
    assert "There is nothing here." in missing.text


def test_port_comes_from_the_environment(preview: Start, built: Path) -> None:
    port = free_port()
    server = preview(built, ASOK_PORT=str(port))
    assert server.url.endswith(f":{port}")


def test_several_workers_share_the_port(preview: Start, built: Path) -> None:
    server = preview(built, "--port", "0", "--workers", "2")
    assert "by 2 processes" in server.line
    found: set[str] = set()

    def both() -> bool:
        found.add(httpx.get(server.url + "/pid").text)
        return len(found) == 2

    wait_until(both, what="answers of both workers", limit=40)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(15) in (0, -signal.SIGTERM)
    for pid in found:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_request_under_way_is_answered_after_sigterm(preview: Start, built: Path) -> None:
    server = preview(built, "--port", "0")
    answers: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(server.url + "/slow", timeout=20))
    )
    asking.start()
    wait_until((built / "begun").exists, what="the beginning of the request", limit=20)
    server.process.send_signal(signal.SIGTERM)
    asking.join(20)
    assert answers[0].text == "done"
    assert server.process.wait(10) in (0, -signal.SIGTERM)


def test_site_that_is_not_built_is_refused(spawn: Spawn, site: Path) -> None:
    result = spawn("preview", cwd=site)
    assert result.returncode == 1
    assert "isn't built yet" in result.stderr
    assert "Run `asok build` first" in result.stderr


def test_taken_port_is_refused_with_the_next_one(spawn: Spawn, built: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = spawn("preview", "--port", port, cwd=built)
    assert result.returncode == 1
    assert "Try: asok preview --port" in result.stderr


def test_site_that_fails_is_said_once_whatever_the_workers(spawn: Spawn, built: Path) -> None:
    (built / "src/pages/page.py").write_text("1 / 0\n")
    result = spawn("preview", "--port", "0", "--workers", "3", cwd=built)
    assert result.returncode == 1
    assert result.stderr.count("ZeroDivisionError") == 1
    assert "src/pages/page.py:1" in result.stderr
