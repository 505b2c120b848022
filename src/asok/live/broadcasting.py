"""`broadcast`: what happened, told to every component that listens, in every worker."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from asok.errors import ConfigurationError, LiveError
from asok.live.listening import check_topic
from asok.live.memo import Memo
from asok.live.recent import Recent
from asok.notices import MISSED, LocalNotices, Notices

if TYPE_CHECKING:
    from asok.live.conversation import Conversation

__all__ = ["Broadcasts", "Event", "broadcast", "configure_broadcasts"]

#: The notice that carries a broadcast.
NOTICE: Final = "live.broadcast"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was broadcast or emitted: `seq` rises for each `publisher` (a process).

    `memo` keeps what was rendered for it; `hops` counts the components it came through; `at` is
    when this worker heard of a broadcast (seconds since 1970).
    """

    topic: str
    payload: dict[str, Any]
    publisher: str = ""
    seq: int = 0
    hops: int = 0
    at: float = field(default=0.0, compare=False)
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)


class Broadcasts:
    """Who listens to what in this worker, and the way to the other ones. Safe for threads.

    `limit` is the most that one broadcast may hold, in bytes of JSON; `recent` keeps them for
    those who come back.
    """

    def __init__(
        self,
        notices: Notices | None = None,
        *,
        limit: int = 64 * 1024,
        recent: Recent,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._notices = notices or LocalNotices()
        self._limit = limit
        self._clock = clock
        self.recent = recent
        self._lock = threading.Lock()
        self._order = threading.RLock()
        self._publisher = ""
        self._pid = 0
        self._seq = 0
        self._topics: dict[str, set[tuple[Conversation, int]]] = {}
        self._known: dict[tuple[Conversation, int], frozenset[str]] = {}
        self._notices.subscribe(NOTICE, self._received)
        self._notices.subscribe(MISSED, lambda _: self._renew_all())

    def __len__(self) -> int:
        return len(self._known)

    def event(self, topic: str, payload: dict[str, Any], *, hops: int = 0) -> Event:
        """Return an event of this process. Raises `LiveError` for a payload without JSON form,
        or above the limit."""
        check_topic(topic)
        try:
            raw = msgspec.json.encode(payload)
        except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise LiveError(
                f"broadcasting {topic!r} failed: {error}.",
                fix="Send texts, numbers, dates, lists and dictionaries; of a row its key.",
            ) from error
        if len(raw) > self._limit:
            raise LiveError(
                f"broadcasting {topic!r} takes {len(raw)} bytes, expected at most {self._limit}.",
                fix="Send the key of the data; who listens loads it.",
            )
        with self._order:
            if self._pid != os.getpid():  # the first one, or after a fork
                self._pid, self._publisher, self._seq = os.getpid(), _publisher(), 0
            self._seq += 1
            return Event(topic, msgspec.json.decode(raw), self._publisher, self._seq, hops)

    def publish(self, topic: str, payload: dict[str, Any]) -> None:
        """Tell every worker; see `broadcast`."""
        with self._order:  # what one process sends arrives in its order
            event = self.event(topic, payload)
            self._notices.publish(
                NOTICE, {"t": topic, "d": event.payload, "p": event.publisher, "s": event.seq}
            )

    def _received(self, message: dict[str, Any]) -> None:
        event = Event(message["t"], message["d"], message["p"], message["s"], at=self._clock())
        # Kept first: who begins to listen in between gets it twice, which is noticed.
        self.recent.add(event, len(msgspec.json.encode(event.payload)))
        self.deliver(event)

    def deliver(self, event: Event) -> None:
        """Hand an event to this worker's listeners: each gets it on its own loop."""
        with self._lock:
            listeners = list(self._topics.get(event.topic, ()))
        self._hand(listeners, event)

    def _renew_all(self) -> None:
        """Broadcasts may have been lost: whoever listens is rendered anew."""
        with self._lock:
            listeners = list(self._known)
        self._hand(listeners, Event("", {}))

    def _hand(self, listeners: list[tuple[Conversation, int]], event: Event) -> None:
        loops: defaultdict[asyncio.AbstractEventLoop, list[tuple[Conversation, int]]]
        loops = defaultdict(list)
        for conversation, n in listeners:
            loops[conversation.loop].append((conversation, n))
        for loop, group in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_push_all, group, event)

    def listen(self, conversation: Conversation, n: int, topics: Collection[str]) -> None:
        """Let component `n` of a conversation listen to exactly these topics."""
        key, wanted = (conversation, n), frozenset(topics)
        with self._lock:
            known = self._known.get(key, frozenset())
            for topic in known - wanted:
                listeners = self._topics[topic]
                listeners.discard(key)
                if not listeners:
                    del self._topics[topic]
            for topic in wanted - known:
                self._topics.setdefault(topic, set()).add(key)
            if wanted:
                self._known[key] = wanted
            else:
                self._known.pop(key, None)


def _push_all(group: list[tuple[Conversation, int]], event: Event) -> None:
    for conversation, n in group:
        conversation.push(n, event)


def _publisher() -> str:
    """A key beside the page views in a row's ledger; no page view's name begins so."""
    return "$" + secrets.token_hex(6)


_configured: Callable[[str, dict[str, Any]], None] | None = None


def configure_broadcasts(
    publish: Callable[[str, dict[str, Any]], None] | None,
) -> Callable[[str, dict[str, Any]], None] | None:
    """Set what `broadcast` sends by; None takes the setting back. Returns the one before."""
    global _configured
    before, _configured = _configured, publish
    return before


def broadcast(topic: str, /, **payload: Any) -> None:
    """Tell every component that listens to `topic`, in every worker: `broadcast("orders", id=3)`.

    Call it from a page, a task or a component, after what it tells of was written. `payload`
    (JSON types) becomes the arguments of methods with `@listens(topic)`. It returns before
    anybody was told; it may write a short line to a file, or to Redis. Raises `LiveError` for a
    payload that can't be sent, `ConfigurationError` where no application was made.
    """
    if _configured is None:
        raise ConfigurationError(
            f"broadcast({topic!r}) was called, and there is no application that could tell it.",
            fix="Make the application first: `from wsgi import app`, or app = Asok().",
        )
    _configured(topic, payload)
