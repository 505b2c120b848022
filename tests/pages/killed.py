"""Processes that are killed at one of their own system calls, chosen by number."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

CALLS = ("open", "write", "rename", "replace", "fsync", "unlink", "rmdir", "mkdir", "ftruncate",
         "utime", "symlink", "close")  # fmt: skip


def run_killed_at(number: int, work: Callable[[], None]) -> bool:
    """Run `work` in a forked child that gets SIGKILL just before its call `number` (from 0).

    Returns True where the child was killed, False where it ended by itself before that.
    The calls are those of `CALLS`; a write is also done by half before the kill.
    """
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _count_down(number)
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return False


def _count_down(number: int) -> None:
    left = number

    def wrap(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left == 0:
                if name == "write":
                    call(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return call(*args, **kwargs)

        return counted

    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))
