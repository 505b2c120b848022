"""One page as a browser shows it: the request that made it, and the live calls made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asok.cli.dev.panel.work import Work

__all__ = ["Visit"]


@dataclass(kw_only=True)
class Visit:
    """`number` is 0 until the page is told of its panel; `status` is 0 until it was answered."""

    method: str
    path: str
    request: Work
    live: Work
    number: int = 0
    status: int = 0
    milliseconds: float = 0.0
    cache_status: str = ""
    route: dict[str, Any] | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return what the panel shows."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "ms": round(self.milliseconds, 1),
            "cacheStatus": self.cache_status,
            "route": self.route,
            "request": self.request.to_dict(),
            "live": self.live.to_dict(),
        }
