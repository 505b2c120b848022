"""Saying once a minute that a store of pages is in trouble, not once a request."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

__all__ = ["Complaints"]

log = logging.getLogger("asok.pages")

_EVERY: Final = 60.0


class Complaints:
    """What can't be done with the pages in `folder`, in the log at most once in 60 seconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = -_EVERY

    def __call__(self, what: str, error: OSError) -> None:
        """Log that `what` ("store the page /about") failed with `error`."""
        now = time.monotonic()
        if now - self._last > _EVERY:
            self._last = now
            log.error(
                "can't %s in %s (%s); pages are served from memory meanwhile",
                what,
                self._folder,
                error,
            )
