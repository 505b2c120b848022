"""What this machine does now."""

from __future__ import annotations

import os
import resource
import time

__all__ = ["load", "memory", "uptime"]

_BEGAN = time.monotonic()


def load() -> float:
    """Processes that run or wait for a processor, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def memory() -> float:
    """The most memory that this process held so far, in MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def uptime() -> int:
    """Seconds since this process began."""
    return int(time.monotonic() - _BEGAN)
