"""What to do with a stored page now: the state machine of regeneration, as one pure function.

```
            no page ──► MISS: render, the others wait ── 404 ──► GONE (≤ 60 s in memory)
            younger than REVALIDATE ──► FRESH: serve
            older, or invalidated   ──► STALE: serve, regenerate once in the background
              …and the last try failed shortly ago ──► ERROR: serve, try again later
            older than EXPIRE, or invalidated to block ──► EXPIRED: render, the others wait;
              where that fails the last good page is served after all
```
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Final

from asok.pages.note import Note
from asok.pages.stored import StoredPage

__all__ = ["Action", "Decision", "State", "decide", "lifetime"]

#: A page that claims to be made later than this many seconds from now has a wrong clock.
MAX_SKEW: Final = 60.0


class State(Enum):
    """Where a page is in its life."""

    FRESH = "fresh"
    STALE = "stale"
    MISS = "miss"
    ERROR = "error"
    GONE = "gone"
    EXPIRED = "expired"


class Action(Enum):
    """What its state asks for."""

    SERVE = "serve"
    REFRESH = "serve, and regenerate in the background"
    RENDER = "render before answering"
    NOT_FOUND = "answer 404"


@dataclass(frozen=True, slots=True)
class Decision:
    """A page's state, what to do, and why.

    `age` is in seconds, at least 0. `left` is how many seconds the page stays fresh:
    negative when it is stale, None when it never gets stale by itself.
    """

    state: State
    action: Action
    reason: str
    age: float = 0.0
    left: float | None = None


def lifetime(path: str, revalidate: float) -> float:
    """Return how long a page stays fresh: up to a tenth longer than asked, by its path.

    Pages of one build would otherwise all get stale in the same second. It is never
    shorter, because the documentation promises "at most once per" REVALIDATE.
    """
    spread = zlib.crc32(path.encode("utf-8", "surrogatepass")) / 0xFFFFFFFF
    return revalidate * (1 + 0.1 * spread)


def decide(
    page: StoredPage | None,
    now: float,
    *,
    note: Note | None = None,
    gone_until: float | None = None,
) -> Decision:
    """Return the state of `page` at `now` (seconds since the epoch).

    `note` holds its invalidations and failures; `gone_until` is until when a 404 of this
    path is remembered.
    """
    note = note or _NO_NOTE
    if page is None:
        if gone_until is not None and now < gone_until:
            left = gone_until - now
            return Decision(State.GONE, Action.NOT_FOUND, "answered 404 shortly ago", left=left)
        return Decision(State.MISS, Action.RENDER, "not stored")
    raw_age = now - page.rendered_at
    age = max(raw_age, 0.0)
    limit = None if page.revalidate is None else lifetime(page.path, page.revalidate)
    left = None if limit is None else limit - age
    if page.expire is not None and age >= page.expire:
        reason, expired = f"older than EXPIRE ({page.expire:g} s)", True
    elif note.invalidated:
        reason, expired = note.why or "invalidated", note.invalidated == "block"
    elif raw_age < -MAX_SKEW:
        # Made in the future: it would stay fresh for as long as the clock was wrong.
        reason, expired, left = "made in the future, by a wrong clock", False, 0.0
    elif left is not None and left <= 0:
        reason, expired = f"older than REVALIDATE ({page.revalidate:g} s)", False
    else:
        return Decision(State.FRESH, Action.SERVE, "fresh", age, left)
    left = min(left, 0.0) if left is not None else 0.0
    if note.failures and now < note.retry_at:
        reason += f"; {note.failures} failed, next try in {note.retry_at - now:.0f} s"
        return Decision(State.ERROR, Action.SERVE, reason, age, left)
    if expired:
        return Decision(State.EXPIRED, Action.RENDER, reason, age, left)
    return Decision(State.STALE, Action.REFRESH, reason, age, left)


_NO_NOTE: Final = Note()
