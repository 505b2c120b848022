"""Autobahn's WebSocket suite, 517 cases, against the server of `asok preview`.

Live components answer no echo, so the site of this test does beside them, in the same process
and behind the same server. What is larger than a live frame may be, and what is about
compression (both off in `asok preview`), runs against the same protocol class with both on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.services import free_port
from tests.site import environment, wait_until_up, write_site

pytestmark = pytest.mark.soak

ECHO = """\
async def echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
"""
SITE = {
    "src/pages/page.html": "{{ component('Counter') }}",
    "src/components/Counter.py": "from asok import Component\n\nclass Counter(Component):\n"
    "    def render(self):\n        return '<b>0</b>'\n",
    "echo.py": ECHO,
    "wsgi.py": """\
        from asok import Asok
        from echo import echo


        class Site(Asok):
            async def __call__(self, scope, receive, send):
                if scope["type"] == "websocket" and scope["path"] == "/echo":
                    await echo(receive, send)
                else:
                    await super().__call__(scope, receive, send)


        app = Site()
        """,
    "large.py": """\
        import sys
        import uvicorn
        from asok.cli.live_socket import LiveSocket
        from wsgi import app

        uvicorn.run(
            app, port=int(sys.argv[1]), ws=LiveSocket, ws_max_size=20_000_000,
            ws_per_message_deflate=True, log_level="error", access_log=False,
        )
        """,
}
#: Messages up to what `asok preview` takes, without compression.
AS_PREVIEW = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.1", "9.2.1", "9.7.*", "9.8.*",
              "10.*"]  # fmt: skip
#: Messages of up to 16 MiB, and permessage-deflate.
LARGE = ["9.*", "12.*", "13.*"]
#: All that the suite has, both lists together.
ALL = 517


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_site(tmp_path_factory.mktemp("autobahn"), SITE)
    built = subprocess.run(
        [sys.executable, "-m", "asok", "build"],
        cwd=root, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return root


@contextmanager
def served(root: Path, *command: str) -> Generator[str]:
    """Run a server in the site's folder, told its port last; yields the URL of its echo."""
    port = free_port()
    with (root / "server.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, *command, str(port)],
            cwd=root, env=environment(), stdout=log, stderr=log, text=True,
        )  # fmt: skip
        try:
            wait_until_up(f"http://127.0.0.1:{port}", process, output=log)
            yield f"ws://127.0.0.1:{port}/echo"
        finally:
            process.terminate()
            process.wait(20)


def verdicts(root: Path, url: str, cases: list[str]) -> dict[str, tuple[str, str]]:
    """Run cases; returns by case how the server behaved, and how it closed."""
    client = Path(sys.prefix) / "autobahn" / "bin" / "wstest"
    if not client.is_file():
        pytest.fail("Autobahn's suite is not installed: sh scripts/autobahn.sh .venv")
    specification = {
        "outdir": str(root / "reports"), "servers": [{"agent": "asok", "url": url}],
        "cases": cases, "exclude-cases": [], "exclude-agent-cases": {},
    }  # fmt: skip
    (root / "specification.json").write_text(json.dumps(specification))
    subprocess.run(
        [client, "--mode", "fuzzingclient", "--spec", root / "specification.json"],
        cwd=root, check=True, capture_output=True, timeout=3600,
    )  # fmt: skip
    found = json.loads((root / "reports" / "index.json").read_text())["asok"]
    return {case: (one["behavior"], one["behaviorClose"]) for case, one in found.items()}


def test_the_whole_suite_without_a_failure(site: Path) -> None:
    found: dict[str, tuple[str, str]] = {}
    with served(site, "-m", "asok", "preview", "--port") as url:
        found |= verdicts(site, url, AS_PREVIEW)
    assert not (site / "server.log").read_text().count("Traceback")
    with served(site, "large.py") as url:
        found = verdicts(site, url, LARGE) | found
    assert len(found) == ALL
    # NON-STRICT is what RFC 6455 leaves open: whether what came before a fault is answered.
    fine = {"OK", "NON-STRICT", "INFORMATIONAL"}
    assert {case: said for case, said in found.items() if not fine.issuperset(said)} == {}
