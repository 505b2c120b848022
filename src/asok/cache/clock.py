"""The time that files of the cache carry: exact on one boot of a machine, safe across them.

The wall clock may be set at any moment, so an entry also holds the seconds since the machine
was booted, which nobody can set and which every process of the machine shares. On another
boot (or machine) the wall clock decides, and an entry from its future counts as expired.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

__all__ = ["age", "boot_name", "running", "wall"]

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere only the wall clock is used


def wall() -> float:
    """Seconds since 1970, as the machine's clock is set now."""
    return time.time()


def running() -> float:
    """Seconds since the machine was booted, sleep included."""
    return time.time() if _BOOT is None else time.clock_gettime(_BOOT)


@cache
def boot_name() -> str:
    """A name of this boot of this machine; empty where there is none to be had."""
    if _BOOT is None:
        return ""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def age(boot: str, written: float, since_boot: float) -> float:
    """Return the seconds since an entry was written; negative where nobody can know."""
    if boot and boot == boot_name():
        return running() - since_boot
    return wall() - written
