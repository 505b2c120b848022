"""Real Redis, PostgreSQL and Chromium for tests: private, on free ports, stopped by their own pid.

A missing program fails the test and names Debian's package; nothing is skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from glob import glob
from itertools import count
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

__all__ = [
    "ConsoleErrors",
    "chromium",
    "console_errors",
    "free_port",
    "fresh_database",
    "open_chromium",
    "page",
    "postgres_server",
    "postgres_url",
    "program",
    "redis_url",
    "wait_until",
]

#: Seconds that a server may take to answer for the first time.
START_LIMIT = 60.0


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def program(*names: str, package: str) -> str:
    """Return the path of the first program found, or fail and name Debian's `package`."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
        # Debian keeps the server programs of each PostgreSQL version out of PATH.
        versions = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"))
        if versions:
            return versions[-1]
    pytest.fail(
        f"{' or '.join(names)} is not installed, and this test needs the real one: "
        f"apt-get install -y {package}"
    )


def wait_until(ready: Callable[[], bool], *, what: str, limit: float = START_LIMIT) -> None:
    """Return as soon as `ready()` is true; fail after `limit` seconds."""
    end = time.monotonic() + limit
    while not ready():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {limit:g} s")
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int, question: bytes, answer: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(question)
            return connection.recv(len(answer)) == answer
    except OSError:
        return False


@pytest.fixture(scope="session")
def redis_url() -> Generator[str]:
    """A Redis server of this test run, empty at first, without persistence.

    Tests that share it use their own key prefix or flush it.
    """
    server = program("redis-server", package="redis-server")
    with tempfile.TemporaryDirectory(prefix="asok-redis-") as folder:
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [server, *options, "--save", "", "--appendonly", "no"], stdout=log, stderr=log
            )
        try:
            wait_until(
                lambda: process.poll() is None and _answers(port, b"PING\r\n", b"+PONG"),
                what=f"the start of {server}",
            )
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            _stop(process)


def _unprivileged() -> tuple[int, int] | None:
    """Return the (uid, gid) that PostgreSQL is to run as, or None where we need not switch.

    PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    pytest.fail("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def _spawn(arguments: list[str], *, folder: str, log: str) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL in `folder`, unprivileged, writing to the file `log`."""
    account = _unprivileged()
    with open(os.path.join(folder, log), "wb") as output:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            user=account[0] if account else None,
            group=account[1] if account else None,
            extra_groups=[] if account else None,
        )


@pytest.fixture(scope="session")
def postgres_server() -> Generator[str]:
    """A PostgreSQL server of this test run; the URL of its maintenance database."""
    initdb = program("initdb", package="postgresql")
    postgres = program("postgres", package="postgresql")
    folder = tempfile.mkdtemp(prefix="asok-pg-")
    data = os.path.join(folder, "data")
    try:
        account = _unprivileged()
        if account:
            os.chown(folder, *account)
        options = ["-D", data, "-U", "asok", "-A", "trust", "-E", "UTF8", "--no-sync"]
        made = _spawn([initdb, *options, "--locale=C"], folder=folder, log="initdb.log")
        if made.wait(START_LIMIT) != 0:
            pytest.fail(f"initdb failed:\n{Path(folder, 'initdb.log').read_text()}")
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "16MB",
            "max_connections": "50",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = _spawn([postgres, "-D", data, *options], folder=folder, log="postgres.log")
        url = f"postgresql://asok@127.0.0.1:{port}/postgres"

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"postgres ended:\n{Path(folder, 'postgres.log').read_text()}")
            try:
                psycopg.connect(url, connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        try:
            wait_until(ready, what=f"the start of {postgres}")
            yield url
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_databases = count(1)


@contextmanager
def fresh_database(server: str) -> Generator[str]:
    """Make an empty database on the server of `postgres_server`; dropped at the end."""
    name = f"test_{next(_databases)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield server.rsplit("/", 1)[0] + "/" + name
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def postgres_url(postgres_server: str) -> Generator[str]:
    """A fresh, empty PostgreSQL database: `postgresql://…/test_N`; dropped after the test."""
    with fresh_database(postgres_server) as url:
        yield url


@contextmanager
def open_chromium(*, history: bool = False) -> Generator[Browser]:
    """Run Debian's Chromium, driven by Playwright.

    With `history` it keeps its back-forward cache, which Playwright switches off otherwise. A
    page that comes back from there fires no `load`: wait for "commit".
    """
    executable = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"],
            ignore_default_args=["--disable-back-forward-cache"] if history else None,
        )
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser without a back-forward cache.

    One browser a test module, not a session: Playwright's synchronous driver keeps an event
    loop running in the main thread, so `asyncio.run` fails there until the module's end. Keep
    tests of coroutines out of browser modules; run servers in a thread or a process.
    """
    with open_chromium() as browser:
        yield browser


class ConsoleErrors(list[str]):
    """What the page of a test complained about; a test that expects it clears the list."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: set[str] = set()
        """Parts of what may come at any time, after the test has ended too."""

    def surprising(self) -> list[str]:
        """What nobody expected."""
        return [text for text in self if not any(part in text for part in self.expected)]


@pytest.fixture
def console_errors() -> ConsoleErrors:
    """The complaints of the test's page."""
    return ConsoleErrors()


@pytest.fixture
def page(chromium: Browser, console_errors: ConsoleErrors) -> Generator[Page]:
    """A page in a fresh profile; the test fails where its console shows an error."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            console_errors.append(message.text)

    def on_error(error: Error) -> None:
        console_errors.append(str(error))

    context = chromium.new_context()
    try:
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        opened.on("console", on_console)
        opened.on("pageerror", on_error)
        yield opened
    finally:
        context.close()
    found = console_errors.surprising()
    assert not found, f"the browser's console shows errors: {found}"
