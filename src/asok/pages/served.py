"""What a request for a stored page is answered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from asok.pages.decision import Decision
from asok.pages.route import Match
from asok.pages.stored import Rendered, StoredPage

__all__ = ["Render", "Served"]

#: Renders a page for everybody: what its handler answered.
Render = Callable[[Match], Rendered]


@dataclass(frozen=True, slots=True)
class Served:
    """What to answer with: a stored `page`, or a `rendered` one that was not stored.

    Neither is there where the path is remembered as missing, or not listed and refused:
    answer 404. `cache` is the value of `X-Asok-SSG-Cache`.
    """

    cache: Literal["HIT", "STALE", "MISS"]
    decision: Decision
    page: StoredPage | None = None
    rendered: Rendered | None = None
    collapsed: bool = False
