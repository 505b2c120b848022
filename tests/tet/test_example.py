"""The documentation's example, run by real servers."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "tet"

SERVERS = {
    "waitress": ["waitress", "--listen=127.0.0.1:{port}", "wsgi:application"],
    "gunicorn": ["gunicorn", "--bind=127.0.0.1:{port}", "--workers=2", "--preload", "wsgi"],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(params=["waitress", "gunicorn"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[httpx.Client]:
    port = free_port()
    command = [part.format(port=port) for part in SERVERS[request.param]]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *command],
            cwd=EXAMPLE,
            env={**os.environ, "PYTHONPATH": str(EXAMPLE), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for _ in range(300):
                assert process.poll() is None, log.read_text()
                try:
                    client.get("/")
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_every_asset_of_the_page_loads_with_its_caching(site: httpx.Client) -> None:
    html = site.get("/").text
    urls = re.findall(r'(?:href|src)="([^"]+)"', html)
    assert len(urls) == 3
    for url in urls:
        assert re.fullmatch(rf"{site.base_url}/?static/\d{{13}}/[a-z./]+", url)
        answer = site.get(url)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "max-age=31536000"
        assert answer.content == (EXAMPLE / "myapp" / "static" / url.split("/", 5)[5]).read_bytes()
        again = site.get(url, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_other_tokens_over_the_wire(site: httpx.Client) -> None:
    html = site.get("/").text
    found = re.search(r"/static/(\d+)/style\.css", html)
    assert found is not None
    current = found[1]
    older = site.get("/static/9/style.css?x=1", headers={"Host": "evil.example"})
    assert older.status_code == 301
    assert older.headers["location"] == f"/static/{current}/style.css?x=1"
    newer = site.get(f"/static/{int(current) + 1}/style.css")
    assert (newer.status_code, newer.headers["retry-after"]) == (503, "3")
    unknown = site.get("/static/abc/style.css")
    assert (unknown.status_code, unknown.headers["cache-control"]) == (200, "no-cache")
    assert site.get(f"/static/{current}/absent.css").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/../static_x/x", "/%2e%2e/__init__.py", "/..%2f__init__.py", "/style.css%00", "/%5c..%5cx",
     "//evil.example", "/%09/evil", "/%ff", "/%0d%0aX:y"],
)  # fmt: skip
def test_attacks_over_the_wire_are_404(site: httpx.Client, path: str) -> None:
    host, port = site.base_url.host, site.base_url.port
    for token in ("9", "abc"):
        # By hand: every client would resolve the dots before it sends.
        with socket.create_connection((host, port or 80)) as wire:
            line = f"GET /static/{token}{path} HTTP/1.1"
            wire.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            status = wire.makefile("rb").readline()
        assert status.split()[1] == b"404"


def test_parts_and_heads_over_the_wire(site: httpx.Client) -> None:
    whole = site.get("/static/abc/style.css")
    part = site.get("/static/abc/style.css", headers={"Range": "bytes=1-4"})
    assert (part.status_code, part.content) == (206, whole.content[1:5])
    head = site.head("/static/abc/style.css")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
    assert site.post("/static/abc/style.css").status_code == 405


def test_the_paste_configuration_is_whole() -> None:
    """The `.ini` names the application and the server as `pserve` loads them."""
    code = (
        "from pyramid.paster import get_app\n"
        "app = get_app('development.ini')\n"
        "from webob import Request\n"
        "assert Request.blank('/').get_response(app).status_int == 200\n"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        timeout=60,
    )
