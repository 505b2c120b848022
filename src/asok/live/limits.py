"""The bounds of the live components, and the bucket that slows a fast sender down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields

from asok.errors import ConfigurationError

__all__ = ["Bucket", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound in one place; raises `ConfigurationError` for a value that is not positive."""

    #: Bytes of one frame from a browser (UTF-8); a longer one closes the socket with 1009.
    frame_bytes: int = 64 * 1024
    #: Frames a second that a socket may send for long; beyond it reading waits.
    messages_per_second: float = 20.0
    #: Frames that may come at once before that.
    burst: int = 40
    #: Components that are joined at the same time on one socket.
    components: int = 64
    #: Calls of one component that wait for their turn.
    queued_calls: int = 64
    #: Calls of one request, where the conversation goes by HTTP POST.
    batch_calls: int = 20
    #: Arguments of one call, and fields of one form.
    arguments: int = 100
    #: Containers within containers in arguments and form data.
    depth: int = 8
    #: Tokens with a wrong signature, after which the socket is closed with 1008.
    bad_signatures: int = 3
    #: Frames that are no frame, after which the socket is closed with 1008.
    bad_frames: int = 20
    #: Seconds that a joined state lives after its last use.
    state_seconds: float = 3600.0
    #: Bytes of one component's state, constructor values and slot, as JSON, each.
    state_bytes: int = 64 * 1024
    #: Bytes of what the page says of one component with `client='defer'`, signed.
    deferred_bytes: int = 8 * 1024
    #: Seconds that a method may run before its component answers with an error.
    call_seconds: float = 30.0
    #: Calls that run in threads at the same time.
    threads: int = 40
    #: Calls beside them that have run for more than a second.
    slow_threads: int = 200
    #: Seconds that a call waits for another call of the same component to end.
    turn_seconds: float = 30.0
    #: Events of one component that wait for their turn; beyond it the oldest is lost.
    queued_events: int = 1000
    #: Seconds between two renders of one component for broadcasts: those within are one.
    push_seconds: float = 0.05
    #: Seconds for which a broadcast waits for those whose browser was away, and the bytes of all.
    replay_seconds: float = 60.0
    replay_bytes: int = 4 * 1024 * 1024
    #: Bytes of what one broadcast sends, as JSON.
    broadcast_bytes: int = 64 * 1024
    #: Page views (tabs) of one component whose answered calls are remembered.
    tabs: int = 16
    #: Bytes of HTML that a worker keeps to send differences instead of whole components.
    base_bytes: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        wrong = [f.name for f in fields(self) if not getattr(self, f.name) > 0]
        if wrong:
            raise ConfigurationError(
                "a limit of the live components is not positive.",
                problems=[
                    f"{name} is {getattr(self, name)!r}, expected more than 0" for name in wrong
                ],
            )


class Bucket:
    """A token bucket: `rate` tokens a second, at most `burst` at once."""

    __slots__ = ("_at", "_burst", "_clock", "_rate", "_tokens")

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> float:
        """Take a token and return the seconds to wait before using it (0 while there are some).

        The debt grows with every token taken in advance, so a sender that waits as told gets
        exactly `rate` a second.
        """
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

    def give(self, tokens: int) -> None:
        """Give back what was taken for something that is not done after all."""
        self._tokens = min(self._burst, self._tokens + tokens)
