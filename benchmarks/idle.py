"""The memory of sockets that are open and idle, each with a component that was clicked once.

Browsers are other processes, 1,000 sockets each and each from a loopback address of its own. What
counts is the resident memory of the server, which is one process.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import select
import subprocess
import sys
import time
from pathlib import Path

import httpx
from browsers import Click
from load import Served, pinned

__all__ = ["report"]

#: Sockets of one browser process.
EACH = 1_000
#: Opened and closed before memory is measured, so that code and caches are there.
WARM = 500


def report(url: Served, count: int) -> None:
    """Open `count` sockets at `url`, close them, open as many again, and print what they took."""
    Crowd(url, WARM).close()
    before = _settled(url.pid)
    print(f"{count:,} idle sockets, each with a joined counter that was clicked once:")
    print(f"  before        {before / 1024:7.1f} MiB", flush=True)
    for turn in ("", "once more"):
        crowd = Crowd(url, count)
        full = _settled(url.pid)
        crowd.close()
        after = _settled(url.pid)
        each = (full - before) / count
        print(f"  open {turn:9}{full / 1024:7.1f} MiB, {each:.1f} KiB a socket (at most 50)")
        change = after / before - 1
        print(f"  closed        {after / 1024:7.1f} MiB, {change:+.1%} (at most +5 %)", flush=True)


class Crowd:
    """Processes that hold sockets open."""

    def __init__(self, url: str, count: int) -> None:
        self._processes = [
            subprocess.Popen(
                [*pinned(1), sys.executable, __file__, url, str(min(EACH, count - first)),
                 f"127.0.1.{1 + number}"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for number, first in enumerate(range(0, count, EACH))
        ]  # fmt: skip
        for process in self._processes:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit("a crowd could not open its sockets; is `ulimit -n` high enough?")

    def close(self) -> None:
        """Close every socket."""
        for process in self._processes:
            process.communicate()


def _settled(pid: int) -> int:
    """The memory of a process in KiB, once it no longer changes by more than 1 %."""
    before, since = 0, time.monotonic()
    while True:
        time.sleep(2)
        status = Path(f"/proc/{pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        now = int(found[1])
        if abs(now - before) < before * 0.01 or time.monotonic() - since > 60:
            return now
        before = now


def _hold(url: str, count: int, address: str) -> None:
    """A crowd's process: open sockets, say so, and close them at the end of the input."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    gc.disable()
    page = httpx.get(url + "/frozen", verify=False).text
    crowd = [Click(url, "/frozen", html=page, source=address) for _ in range(count)]
    for visitor in crowd:
        visitor.socket.sendall(visitor.click())
        visitor.wait()
    print("open", flush=True)
    _answer_pings(crowd)
    for visitor in crowd:
        visitor.socket.close()


def _answer_pings(crowd: list[Click]) -> None:
    poll = select.epoll()
    poll.register(0, select.EPOLLIN | select.EPOLLHUP)
    by_handle = {visitor.socket.fileno(): visitor for visitor in crowd}
    for handle in by_handle:
        poll.register(handle, select.EPOLLIN)
    while True:
        for handle, _ in poll.poll():
            if handle == 0 and not os.read(0, 1):
                return
            if handle:
                by_handle[handle].payloads(by_handle[handle].received())


if __name__ == "__main__":
    _hold(sys.argv[1], int(sys.argv[2]), sys.argv[3])
