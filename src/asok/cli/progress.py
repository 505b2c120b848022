"""Progress of a build on a terminal; silence everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["Progress", "shown_progress"]


class Progress(Protocol):
    """Hears how far a kind of work has got."""

    def step(self, what: str, done: int, total: int) -> None:
        """`done` of `total` things called `what` are ready."""
        ...


class _Silent:
    def step(self, what: str, done: int, total: int) -> None:
        """Nothing is shown."""


class _Shown:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def step(self, what: str, done: int, total: int) -> None:
        task = self._tasks.get(what)
        if task is None:
            task = self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(task, completed=done, total=total)


@contextmanager
def shown_progress(*, quiet: bool = False) -> Generator[Progress]:
    """Yield what shows bars where standard error is a terminal and `quiet` is not asked."""
    if quiet or not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("  {task.description:<7}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Shown(bars)
