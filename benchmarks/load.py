"""Load on servers of our own: each is one process pinned to a core, wrk runs on the other."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import processor

SECONDS = 3
ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """What is measured: a URL, the headers to send, and the row that it is compared to.

    `during` is entered while this row is measured.
    """

    url: str
    floor: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    during: AbstractContextManager[object] = field(default_factory=nullcontext)


@dataclass(frozen=True)
class Measured:
    """Requests a second, the time within which 99 of 100 were answered, in milliseconds, and the
    processor time of one request, in microseconds (0 where it is unknown)."""

    rate: float
    p99: float
    busy: float


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def pinned(core: int) -> list[str]:
    """The prefix that runs a command on one core, where the machine has two."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core)] if taskset else []


class Served(str):
    """The URL of a server, and its process."""

    pid: int


@contextmanager
def running(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Generator[Served]:
    """Run a server on core 0; `{port}` in `command` is the port of the URL that is yielded."""
    port = free_port()
    arguments = [*pinned(0), *(part.replace("{port}", str(port)) for part in command)]
    process = subprocess.Popen(arguments, cwd=cwd, env=dict(environment), stdout=subprocess.DEVNULL)
    processor.started(port, process.pid)
    try:
        for _ in range(400):
            if process.poll() is not None:
                raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        url = Served(f"http://127.0.0.1:{port}")
        url.pid = process.pid
        yield url
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def server(app: str, cwd: Path, environment: Mapping[str, str]) -> AbstractContextManager[Served]:
    """Serve the ASGI application `module:name` with one uvicorn worker on core 0."""
    command = [
        sys.executable, "-m", "uvicorn", app, "--port", "{port}",
        "--no-access-log", "--log-level", "warning", "--no-server-header", "--no-date-header",
    ]  # fmt: skip
    return running(command, cwd, environment)


class Awake(AbstractContextManager[None]):
    """Lets a process that is stopped run meanwhile, as often as it is entered."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __enter__(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGSTOP)


def measure(url: str, headers: Mapping[str, str] | None = None) -> Measured:
    """What wrk gets from `url` with 16 connections on core 1."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("This benchmark needs wrk: apt-get install wrk")
    command = [*pinned(1), wrk, "-t1", "-c16", f"-d{SECONDS}s", "--latency", url]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    before = processor.used(url)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = processor.used(url) - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{url} did not answer every request with 200:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    assert rate is not None, output
    assert p99 is not None, output
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    answered = re.search(r"(\d+) requests in", output)
    assert answered is not None, output
    busy = spent / max(int(answered[1]), 1) * 1e6
    return Measured(float(rate[1]), float(p99[1]) * unit, busy)


def compare(rows: Mapping[str, Row]) -> None:
    """Measure every row in turn, ROUNDS times; print rates, ratios to each row's floor and p99.

    A ratio is the median of the ratios of one round each, so that a machine whose speed
    drifts does not distort it. The second one is of the processor time of a request.
    """
    found: dict[str, list[Measured]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, row in rows.items():
            with row.during:
                found[name].append(measure(row.url, row.headers))
    width = max(map(len, rows))
    for name, row in rows.items():
        pairs = list(zip(found[name], found[row.floor], strict=True))
        ratios = [mine.rate / base.rate for mine, base in pairs]
        busy = [base.busy / mine.busy for mine, base in pairs if mine.busy and base.busy] or [0.0]
        print(
            f"{name:{width}}  {statistics.median(one.rate for one in found[name]):>9,.0f}/s  "
            f"ratio {statistics.median(ratios):.3f}  ({min(ratios):.3f}–{max(ratios):.3f})  "
            f"of processor time {statistics.median(busy):.3f}  "
            f"p99 {statistics.median(one.p99 for one in found[name]):6.2f} ms",
            flush=True,
        )
