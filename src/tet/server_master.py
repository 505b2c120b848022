"""When the server that this process is a worker of began: the time that all its workers know.

A process that was forked with the application in it needs none of this: the token was
minted before the fork. Where each worker loads the application for itself, gunicorn's is the
one master that a worker can ask, because it was forked out of its main loop.
"""

from __future__ import annotations

import logging
import sys
import threading
from types import FrameType
from typing import Any

__all__ = ["generation_start"]

log = logging.getLogger("tet.static")


def generation_start() -> int | None:
    """Return when this worker's generation began, in milliseconds since the epoch.

    All workers of one start return the same, those of a later start or reload (SIGHUP) more,
    and a worker that replaces a dead one the same as the dead one. None where this process is
    no worker, or has a master that doesn't tell.
    """
    arbiter = _gunicorn()
    if arbiter is None or arbiter.cfg.reload:  # `--reload` is for editing: each start is a deploy
        return None
    # Private, hence asked for with care: not in every version, and set once the master listens.
    stats: dict[str, Any] = getattr(arbiter, "_stats", {})
    start, reloads = stats.get("start_time"), stats.get("reloads")
    if isinstance(start, float) and isinstance(reloads, int):
        # A reload is a new generation in the same master, later by one.
        return int(start * 1000) + reloads
    if arbiter.cfg.workers > 1 and not arbiter.cfg.preload_app:
        log.warning(
            "this gunicorn does not tell its workers when it started, so each has a cache-breaker "
            "token of its own and most static files fail to load; expected --preload, gunicorn "
            "27 or newer, or config.set_cachebreaker(...) with the name of the release"
        )
    return None


def _gunicorn() -> Any:
    """Return the Arbiter in whose loop this process was forked, None where there is none."""
    main = threading.main_thread().ident
    frame: FrameType | None = sys._current_frames().get(main) if main is not None else None  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if frame.f_globals.get("__name__") == "gunicorn.arbiter":
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None
