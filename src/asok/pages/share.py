"""Sharing the pages of a build between processes, where that is faster than not to.

Forked processes have the whole application already; each asks for a few pages at a time,
writes their bodies into the draft, and sends back the records. Whether it pays is seen from
the first pages: templates of 0.1 ms are done before a second process has started.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

import msgspec

from asok.errors import FreezeError
from asok.pages.report import Frozen

__all__ = ["build_all"]

#: Pages that are built before deciding; fewer in all than FEW are never shared.
_SAMPLE: Final = 32
_FEW: Final = 300
#: Seconds of work left that make starting processes worth it (a fork costs 20-50 ms).
_WORTH: Final = 0.4
_CHUNK: Final = 16
_MAX_WORKERS: Final = 8

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Frozen]).decode


def build_all(
    count: int,
    build: Callable[[int], Frozen],
    done: Callable[[Frozen], bool],
    *,
    workers: int | None,
    after_fork: Callable[[], None] | None,
) -> int:
    """Call `done(build(index))` for every index below `count`; returns the processes used.

    `done` is always called here, one at a time; where it answers False the rest is dropped.
    """
    start, at = time.perf_counter(), 0
    chosen = workers if workers is not None else min(_cores(), _MAX_WORKERS)
    # A fork while other threads run may copy a lock that nobody will ever release.
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        chosen = 1
    while at < count:
        sampled = workers is None and at == _SAMPLE and count > _FEW
        if chosen > 1 and (sampled or (workers is not None and at == 0)):
            left = (time.perf_counter() - start) / max(at, 1) * (count - at)
            if workers is not None or left > _WORTH:
                _build_shared(at, count, build, done, workers=chosen, after_fork=after_fork)
                return chosen
        if not done(build(at)):
            return 1
        at += 1
    return 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - not on Linux


def _build_shared(
    first: int,
    count: int,
    build: Callable[[int], Frozen],
    done: Callable[[Frozen], bool],
    *,
    workers: int,
    after_fork: Callable[[], None] | None,
) -> None:
    context = multiprocessing.get_context("fork")
    processes: dict[Connection, BaseProcess] = {}
    chunks = iter(range(first, count, _CHUNK))
    try:
        for number in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, build, after_fork), name=f"asok-build-{number}"
            )
            process.start()
            theirs.close()
            processes[ours] = process
        busy = {ours for ours in processes if _give(ours, chunks, count)}
        while busy:
            for ours in wait(list(busy)):
                assert isinstance(ours, Connection)
                for frozen in _take(ours, processes[ours]):
                    if not done(frozen):
                        return
                if not _give(ours, chunks, count):
                    busy.discard(ours)
    finally:
        for ours, process in processes.items():
            ours.close()
            process.join(0.5)
            if process.is_alive():
                process.terminate()
                process.join()


def _give(ours: Connection, chunks: Iterator[int], count: int) -> bool:
    start = next(chunks, None)
    if start is None:
        return False
    ours.send_bytes(_encode([start, min(start + _CHUNK, count)]))
    return True


def _take(ours: Connection, process: BaseProcess) -> list[Frozen]:
    try:
        return _decode(ours.recv_bytes())
    except EOFError:
        process.join(1)
        raise FreezeError(
            f"a process of the build died (exit code {process.exitcode}).",
            fix="Was it out of memory? Build with one process: workers=1.",
        ) from None


def _work(
    theirs: Connection, build: Callable[[int], Frozen], after_fork: Callable[[], None] | None
) -> None:
    """What a forked process does: build the chunks that it is told, until told no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if after_fork is not None:
        after_fork()
    with suppress(EOFError, BrokenPipeError):
        while True:
            start, stop = msgspec.msgpack.decode(theirs.recv_bytes(), type=tuple[int, int])
            theirs.send_bytes(_encode([build(index) for index in range(start, stop)]))
