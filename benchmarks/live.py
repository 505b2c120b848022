"""A click on a live counter, over a real socket: against a raw echo on the same server.

Prints for each row the round trip alone on the server (p50, p99), clicks a second of 16
connections, the server's processor time for a click, and the ratio to the echo of the same run;
then the bytes of a click and of one changed row of 200. NiceGUI and django-unicorn are measured
in environments of their own (`--no-peers` leaves them out). `--redis URL` measures Redis too;
`--idle 10000` measures the memory of idle sockets instead.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import idle
import live_peers
from browsers import Click, Echo
from clicks import Measured, Visitor, measure
from load import ROUNDS, Served, pinned, running
from sites import live_site

CONNECTIONS = 16
#: What slows a browser down that clicks too fast: no limit here.
UNLIMITED = {"ASOK_LIVE_MESSAGES_PER_SECOND": "1000000000", "ASOK_LIVE_BURST": "1000000000"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", help="a Redis URL, to measure state in Redis too")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--idle", type=int, metavar="SOCKETS", help="measure idle sockets' memory")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--clicks", type=int, default=2_000, help="clicks alone, each round")
    parser.add_argument("--seconds", type=float, default=2.0, help="of clicks together, each round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        start = Servers(root, stack)
        if pinned(1):
            os.sched_setaffinity(0, {1})  # the servers have the other core
        # A socket is a file, here and in the server.
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        if options.idle:
            idle.report(start("idle"), options.idle)
            return
        memory, sqlite = start("memory", SESSION_BACKEND="memory"), start("sqlite")
        rows: dict[str, tuple[Served, Callable[[], Visitor]]] = {
            "raw echo": (memory, lambda: Echo(memory)),
            "async method, state in memory": (memory, lambda: Click(memory, "/quick")),
            "sync method, state in SQLite": (sqlite, lambda: Click(sqlite, "/")),
            "async method, state in SQLite": (sqlite, lambda: Click(sqlite, "/quick")),
        }
        if options.redis:
            shared = start("redis", SESSION_BACKEND="redis", REDIS_URL=options.redis)
            rows["sync method, state in Redis"] = (shared, lambda: Click(shared, "/"))
            rows["async method, state in Redis"] = (shared, lambda: Click(shared, "/quick"))
        peers = {} if options.no_peers else live_peers.rows(root, stack)
        compare(rows | peers, set(peers), options.rounds, options.clicks, options.seconds)
        sizes(memory)


class Servers:
    """Builds the site and serves it by `asok preview`, with other settings each time."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self._root = root
        self._stack = stack

    def __call__(self, name: str, **variables: str) -> Served:
        """Serve a site of that name."""
        site = live_site(self._root / name)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **UNLIMITED, **variables}
        command = [sys.executable, "-m", "asok"]
        subprocess.run([*command, "build"], cwd=site, check=True, env=environment,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        return self._stack.enter_context(
            running([*command, "preview", "--port", "{port}"], site, environment)
        )


def compare(
    rows: Mapping[str, tuple[Served, Callable[[], Visitor]]],
    peers: set[str],
    rounds: int,
    clicks: int,
    seconds: float,
) -> None:
    """Measure every row in turn, round after round; print medians, and ratios to the first.

    A row of `peers` that fails is said and left out.
    """
    found: dict[str, list[Measured]] = {name: [] for name in rows}
    last: dict[str, Visitor] = {}
    for _ in range(rounds):
        for name in list(found):
            served, make = rows[name]
            try:
                visitors = [make() for _ in range(CONNECTIONS)]
                found[name].append(measure(visitors, served.pid, clicks=clicks, seconds=seconds))
            except (OSError, SystemExit, httpx.HTTPError) as error:
                if name not in peers:
                    raise
                print(f"  {name} was not measured: {error}")
                del found[name]
                last.pop(name, None)
                continue
            for visitor in visitors:
                visitor.socket.close()
            last[name] = visitors[0]
    print(
        f"{rounds} rounds in turn; {clicks:,} clicks one by one, then {CONNECTIONS} connections "
        f"for {seconds:g} s; medians of the rounds, and of their ratios to the raw echo"
    )
    floor = next(iter(rows))
    width = max(map(len, found))
    for name, measured in found.items():
        pairs = list(zip(measured, found[floor], strict=True))

        def median(value: Callable[[Measured], float], of: list[Measured] = measured) -> float:
            return statistics.median(map(value, of))

        print(
            f"  {name:{width}}  p50 {median(lambda m: m.p50) * 1e6:6,.0f} µs  "
            f"p99 {median(lambda m: m.p99) * 1e6:7,.0f} µs  "
            f"ratio of p50 {statistics.median(a.p50 / b.p50 for a, b in pairs):5.2f}  "
            f"{median(lambda m: m.rate):7,.0f}/s (best {max(m.rate for m in measured):7,.0f})  "
            f"{median(lambda m: m.cost) * 1e6:6,.0f} µs of processor "
            f"(least {min(m.cost for m in measured) * 1e6:6,.0f})  "
            f"generator {median(lambda m: m.busy):4.0%}",
            flush=True,
        )
    for name, visitor in last.items():
        size = f"{len(visitor.up):5} B up, {len(visitor.down):5} B down"
        print(f"  {name:{width}}  {size} a click, without headers")


def sizes(url: str) -> None:
    """Print the bytes of frames: a counter's click, and one changed row of 200."""
    for what, visitor, goal in (
        ("a counter's click", Click(url, "/quick"), 100),
        ("one changed row of 200", Click(url, "/table", "rename"), 300),
    ):
        for _ in range(20):
            visitor.socket.sendall(visitor.click())
            visitor.wait()
        up, down = len(visitor.up), len(visitor.down)
        print(f"  {what}: {up} B up, {down} B down (at most {goal}): {visitor.down.decode()}")
    visitor = Click(url, "/other", "turn")
    visitor.socket.sendall(visitor.click())
    visitor.wait()
    kind = "the whole HTML" if visitor.down.startswith(b'["h"') else "splices"
    print(f"  everything changed: {kind}, {len(visitor.down)} B")


if __name__ == "__main__":
    main()
