"""Load on a server of our own: one process pinned to a core, wrk on the other."""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

SECONDS = 3
ROUNDS = 5


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def pinned(core: int) -> list[str]:
    """The prefix that runs a command on one core, where the machine has two."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core)] if taskset else []


@contextmanager
def server(app: str, cwd: Path, environment: Mapping[str, str]) -> Generator[str]:
    """Serve the ASGI application `module:name` with one uvicorn worker on core 0."""
    port = free_port()
    command = [
        *pinned(0), sys.executable, "-m", "uvicorn", app, "--port", str(port),
        "--no-access-log", "--log-level", "warning", "--no-server-header", "--no-date-header",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=cwd, env=dict(environment))
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def rate(url: str, headers: Mapping[str, str] | None = None) -> float:
    """Requests per second that wrk gets from `url` with 16 connections on core 1."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("This benchmark needs wrk: apt-get install wrk")
    command = [*pinned(1), wrk, "-t1", "-c16", f"-d{SECONDS}s", url]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{url} did not answer every request with 200:\n{output}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert match is not None, output
    return float(match[1])


def compare(rows: Mapping[str, tuple[str, Mapping[str, str]]], floor: str) -> None:
    """Measure every row in turn, ROUNDS times, and print rates and ratios to the row `floor`.

    The ratio is the median of the ratios of one round each, so that a machine whose speed
    drifts does not distort it.
    """
    found: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, (url, headers) in rows.items():
            found[name].append(rate(url, headers))
    width = max(map(len, rows))
    for name, rates in found.items():
        ratios = [mine / base for mine, base in zip(rates, found[floor], strict=True)]
        print(
            f"{name:{width}}  {statistics.median(rates):>9,.0f}/s  "
            f"ratio {statistics.median(ratios):.3f}  ({min(ratios):.3f}–{max(ratios):.3f})"
        )
