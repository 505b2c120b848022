"""Sharing the pages of a build between processes, where that is faster than not to.

Forked processes have the whole application already; each asks for a few pages at a time,
writes their bodies into the draft, and sends back the records. Whether it pays is seen from
the first pages: templates of 0.1 ms are done before a second process has started.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

import msgspec

from asok.errors import FreezeError
from asok.pages.report import Frozen

__all__ = ["build_all"]

#: Pages that are built before deciding; sites of fewer than FEW pages are never shared.
_SAMPLE: Final = 64
_FEW: Final = 300
#: Seconds of rendering left that make sharing worth it. Writing does not count: processes that
#: create files in one folder hold each other up (30,000 of them: 3 s alone, 4 s by two).
_WORTH: Final = 1.0
_CHUNK: Final = 64
_MAX_WORKERS: Final = 8

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Frozen]).decode


def build_all(
    count: int,
    build: Callable[[int], Frozen],
    done: Callable[[Frozen], bool],
    *,
    workers: int | None,
    after_fork: Callable[[], None] | None = None,
    finish: Callable[[list[Frozen]], list[Frozen]] | None = None,
) -> int:
    """Call `done(build(index))` for every index below `count`; returns the processes used.

    `done` is always called here, one at a time; where it answers False the rest is dropped.
    `finish` is given what another process has built, there, before it is sent.
    """
    at, sample = 0, list[float]()
    chosen = workers if workers is not None else min(_cores(), _MAX_WORKERS)
    # A fork while other threads run may copy a lock that nobody will ever release.
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        chosen = 1
    shared = chosen > 1 and workers is not None
    while at < count and not shared:
        frozen = build(at)
        if not done(frozen):
            return 1
        at += 1
        if at <= _SAMPLE:
            sample.append(frozen.seconds)
        if at == _SAMPLE and chosen > 1 and count > _FEW:
            # The median: the first page imports and compiles, another waits for the disk.
            shared = statistics.median(sample) * (count - at) > _WORTH
    if not shared or at == count:
        return 1
    _build_shared(at, count, build, done, workers=chosen, start=after_fork, finish=finish)
    return chosen


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
    start: Callable[[], None] | None,
    finish: Callable[[list[Frozen]], list[Frozen]] | None,
) -> None:
    context = multiprocessing.get_context("fork")
    processes: dict[Connection, BaseProcess] = {}
    size = max(1, min(_CHUNK, (count - first) // (workers * 4)))
    chunks = (range(at, min(at + size, count)) for at in range(first, count, size))
    try:
        for number in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work,
                args=(theirs, [*processes, ours], build, start, finish),
                name=f"asok-build-{number}",
            )
            process.start()
            theirs.close()
            processes[ours] = process
        busy = {ours for ours in processes if _give(ours, chunks)}
        while busy:
            for ours in wait(list(busy)):
                assert isinstance(ours, Connection)
                for frozen in _take(ours, processes[ours]):
                    if not done(frozen):
                        return
                if not _give(ours, chunks):
                    busy.discard(ours)
    finally:
        for ours, process in processes.items():
            ours.close()
            process.join(0.5)
            if process.is_alive():
                process.terminate()
                process.join()


def _give(ours: Connection, chunks: Iterator[range]) -> bool:
    chunk = next(chunks, None)
    if chunk is None:
        return False
    ours.send_bytes(_encode([chunk.start, chunk.stop]))
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
    theirs: Connection,
    inherited: list[Connection],
    build: Callable[[int], Frozen],
    start: Callable[[], None] | None,
    finish: Callable[[list[Frozen]], list[Frozen]] | None,
) -> None:
    """What a forked process does: build the chunks that it is told, until told no more."""
    for connection in inherited:
        connection.close()  # or nobody would ever notice that the parent has closed its own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if start is not None:
        start()
    with suppress(EOFError, BrokenPipeError):
        while True:
            first, end = msgspec.msgpack.decode(theirs.recv_bytes(), type=tuple[int, int])
            built = [build(index) for index in range(first, end)]
            theirs.send_bytes(_encode(built if finish is None else finish(built)))
