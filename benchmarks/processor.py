"""The processor time of servers, which other work on the machine disturbs less than rates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

#: The process that was started for each port.
_STARTED: dict[int, int] = {}


def started(port: int, process: int) -> None:
    """Remember which process serves `port`."""
    _STARTED[port] = process


def used(url: str) -> float:
    """The seconds on a processor of the server at `url` so far, its workers' among them.

    0 where the system doesn't tell: this is Linux's `schedstat`.
    """
    process = _STARTED.get(urlsplit(url).port or 0)
    if process is None:
        return 0.0
    total = 0
    for task in _tasks(process):
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:  # it has ended, or there is no such file
            continue
    return total / 1e9


def _tasks(process: int) -> Iterator[Path]:
    for task in Path(f"/proc/{process}/task").glob("*"):
        yield task
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _tasks(int(child))
