"""Sites for tests: written from a dictionary of files, loaded in this process or really served."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import dedent
from typing import IO

import httpx
from tests.services import free_port

from asok import Asok, Settings

WSGI = "from asok import Asok\n\napp = Asok()\n"
KEY = "a-key-for-tests-" * 3
BASE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{% block title %}Test{% endblock %}</title></head>
<body>{% block main %}{% endblock %}</body>
</html>
"""


def write_site(root: Path, files: Mapping[str, str]) -> Path:
    """Write `files` (path below the site -> text) with a wsgi.py and a base template."""
    everything = {"wsgi.py": WSGI, "src/partials/html/base.html": BASE, **files}
    for name, text in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    (root / "src" / "pages").mkdir(parents=True, exist_ok=True)
    return root


def load_site(root: Path, *, debug: bool = False, **known: object) -> Asok:
    """Return the application of the site at `root`, with settings for tests."""
    settings = Settings.load(root, {}, debug=debug, secret_keys=(KEY,), **known)
    return Asok(settings=settings)


def environment(**variables: str) -> dict[str, str]:
    """The environment for a site in another process."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG") or name.startswith("COV")
    }
    return {**keep, "SECRET_KEY": KEY, "PYTHONUNBUFFERED": "1", **variables}


def build(root: Path, **variables: str) -> None:
    """Run `asok build` for the site at `root` in another process; fails with what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "asok", "build"], cwd=root, env=environment(**variables),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@contextmanager
def serve(root: Path, *arguments: str, port: int | None = None, **variables: str) -> Generator[str]:
    """Serve the site at `root` with uvicorn in another process; yields its base URL."""
    command = ("-m", "uvicorn", "wsgi:app", "--port", "{port}", *arguments)
    with running(root, *command, port=port, log=None, **variables) as (url, _):
        yield url


@contextmanager
def running(
    root: Path,
    *arguments: str,
    port: int | None = None,
    log: Path | None = None,
    **variables: str,
) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Run a server in `root` by Python with `arguments`, in which `{port}` is its port.

    Yields its base URL and its process. What it says goes to the file `log`, if there is one.
    """
    port = port or free_port()
    url = f"http://localhost:{port}"
    # Not a pipe: nobody would read it, and a server whose log is stuck answers nothing.
    with TemporaryFile("w+") if log is None else log.open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, *(part.replace("{port}", str(port)) for part in arguments)],
            cwd=root,
            env=environment(**variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            wait_until_up(url, process, output=output)
            yield url, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_up(
    url: str,
    process: subprocess.Popen[str],
    seconds: float = 30,
    *,
    output: IO[str] | None = None,
) -> None:
    """Wait until something answers at `url`; fails with the output of a server that ended.

    `output` is the file that it writes to, where that is not a pipe.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            source = output or process.stdout
            if output is not None:
                output.seek(0)
            text = source.read() if source is not None else ""
            raise AssertionError(f"the server ended with {process.returncode}:\n{text}")
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing answered at {url} within {seconds} seconds")
