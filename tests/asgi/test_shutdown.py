"""The end of a server under load: what has begun is answered and stored, sockets say goodbye."""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from tests.services import free_port, wait_until
from tests.site import environment, wait_until_up, write_site
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SITE = {
    "src/pages/page.html": "{{ component('Hello') }}",
    "src/pages/slow/[number:int]/page.py": """
        import time
        def get(request):
            with open("begun", "a") as log:
                log.write(f"{request.params['number']}\\n")
            time.sleep(0.3)
            return f"done {request.params['number']}"
        """,
    "src/pages/renewed/page.py": """
        import time
        SSG = True
        REVALIDATE = 1
        def get(request):
            with open("renders", "a") as log:
                log.write("begun\\n")
            time.sleep(1)
            with open("renders", "a") as log:
                log.write("done\\n")
            return "<p>renewed</p>"
        """,
    "src/components/Hello.py": """
        from asok import Component

        class Hello(Component):
            def render(self):
                return self.html("hello.html")
        """,
    "src/components/hello.html": "<b>hello</b>",
}


@contextmanager
def preview(root: Path, workers: int) -> Generator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "asok", "preview", "--port", str(port), "--workers", str(workers)],
        cwd=root, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(url, process)
        yield url, process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def begun(root: Path) -> set[int]:
    log = root / "begun"
    return {int(line) for line in log.read_text().split()} if log.exists() else set()


def test_nothing_that_has_begun_is_lost(tmp_path: Path) -> None:
    root = write_site(tmp_path, SITE)
    built = subprocess.run(
        [sys.executable, "-m", "asok", "build"], cwd=root, env=environment(), capture_output=True
    )
    assert built.returncode == 0, built.stderr
    answered: set[int] = set()
    codes: list[int | None] = []
    ending = threading.Event()
    with preview(root, 2) as (url, process):

        def ask(first: int) -> None:
            for number in range(first, first + 100_000):
                try:
                    answer = httpx.get(f"{url}/slow/{number}", timeout=20)
                except httpx.TransportError:
                    if ending.is_set():
                        return
                    raise
                assert answer.text == f"done {number}"
                answered.add(number)

        def listen() -> None:
            page = httpx.get(url)
            found = re.search(r'data-asok-state="([^"]+)"', page.text)
            assert found is not None
            ws = url.replace("http", "ws", 1) + "/asok/live"
            with connect(ws, origin=url, proxy=None) as live:  # type: ignore[arg-type]
                live.send(json.dumps(["j", 1, html.unescape(found[1]), "tab"]))
                try:
                    while True:
                        live.recv(30)
                except ConnectionClosed:
                    codes.append(live.close_code)

        askers = [threading.Thread(target=ask, args=(at * 1_000_000,)) for at in range(12)]
        listeners = [threading.Thread(target=listen) for _ in range(4)]
        for thread in askers + listeners:
            thread.start()
        wait_until(lambda: len(answered) > 40, what="answers under load")
        renders = root / "renders"

        def renewing() -> bool:
            httpx.get(f"{url}/renewed", timeout=20)
            lines = renders.read_text().split()
            return lines.count("begun") > lines.count("done")

        wait_until(renewing, what="a regeneration in the background")
        ending.set()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
        for thread in askers + listeners:
            thread.join(30)
            assert not thread.is_alive()
    assert begun(root) <= answered
    assert len(codes) == 4
    assert set(codes) <= {1001, 1012}
    lines = renders.read_text().split()
    assert lines.count("begun") == lines.count("done")


def test_nobody_waits_for_the_end_of_what_is_told_over_http(tmp_path: Path) -> None:
    wall = """
        from asok import Component, listens

        class Wall(Component):
            @listens("wall")
            def hear(self): ...

            def render(self):
                return "wall"
        """
    pages = {"src/components/Wall.py": wall, "src/pages/page.html": "{{ component('Wall') }}"}
    root = write_site(tmp_path, pages)
    built = subprocess.run(
        [sys.executable, "-m", "asok", "build"], cwd=root, env=environment(), capture_output=True
    )
    assert built.returncode == 0, built.stderr
    with preview(root, 1) as (url, process), httpx.Client(base_url=url, timeout=30) as browser:
        found = re.search(r'data-asok-state="([^"]+)"', browser.get("/").text)
        assert found is not None
        join = ["j", 1, html.unescape(found[1]), "tab", None]
        with browser.stream(
            "POST",
            "/asok/live",
            json=[join],
            headers={"origin": url, "accept": "text/event-stream"},
        ) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith('data: ["h",1,')
            process.send_signal(signal.SIGTERM)
            # Its end is a proper one, long before its time (25 seconds) and that of waiting (8).
            assert list(lines) == [""]
        assert process.wait(20) in (0, -signal.SIGTERM)
        assert process.stdout is not None
        assert "graceful shutdown exceeded" not in process.stdout.read()


def test_a_killed_worker_is_replaced_and_the_others_serve(tmp_path: Path) -> None:
    root = write_site(
        tmp_path,
        {
            **SITE,
            "src/pages/pid/page.py": "import os\ndef get(request):\n    return str(os.getpid())\n",
        },
    )
    built = subprocess.run(
        [sys.executable, "-m", "asok", "build"], cwd=root, env=environment(), capture_output=True
    )
    assert built.returncode == 0, built.stderr
    with preview(root, 2) as (url, process):
        found: set[int] = set()

        def both() -> bool:
            found.add(int(httpx.get(f"{url}/pid").text))
            return len(found) == 2

        wait_until(both, what="answers of both workers")
        victim = found.copy().pop()
        subprocess.run(["kill", "-9", str(victim)], check=True)
        failed = 0
        end = time.monotonic() + 30
        answers: set[int] = set()
        while time.monotonic() < end and len(answers) < 2:
            try:
                answers.add(int(httpx.get(f"{url}/pid", timeout=10).text))
            except httpx.TransportError:
                failed += 1  # a connection that the killed one had accepted
        assert len(answers) == 2
        assert victim not in answers
        assert failed <= 3
        process.send_signal(signal.SIGTERM)
        process.wait(20)
