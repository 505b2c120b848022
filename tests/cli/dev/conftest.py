"""A development server of its own process, and what it has said so far."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from ...services import wait_until
from ..conftest import clean_environment

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class DevelopmentServer:
    """`asok dev` for the site in `folder`, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asok", "dev", "--port", "0"],
            cwd=folder,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: "Ctrl-C stops it" in self.said, what=f"the start ({self.said})")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.append(_STYLE.sub("", line))

    @property
    def said(self) -> str:
        """Everything that it wrote to the terminal."""
        return "".join(self._said)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        found = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        assert found is not None, self.said
        return found[0]

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the site, as an editor does."""
        path = self.folder / name
        text = path.read_text("utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new), "utf-8")

    def write(self, name: str, text: str) -> None:
        """Write a file of the site."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until it has said `text`."""
        wait_until(
            lambda: self.said.count(text) >= times, what=f"{text!r} in {self.said}", limit=20
        )

    def stop(self) -> int:
        """Press Ctrl-C; return how it ended."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self._reader.join(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


Start = Callable[[Path], DevelopmentServer]


@pytest.fixture
def start() -> Generator[Start]:
    """Start a development server; it is stopped when the test ends."""
    running: list[DevelopmentServer] = []

    def begin(folder: Path) -> DevelopmentServer:
        server = DevelopmentServer(folder)
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()
