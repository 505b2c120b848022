"""What one browser shows, and what it is told: frames out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING, Final

from asok.errors import AsokError
from asok.live import frames
from asok.live.splice import difference

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Emit", "Failed", "Screen"]

log = logging.getLogger("asok.live")

#: Sends one frame; awaiting it is what slows a conversation down to its reader's speed.
Emit = Callable[[str], Awaitable[None]]
#: Told what a component's code raised, with the component's number.
Failed = Callable[[int, Exception], None]

_MESSAGES: Final = {
    "arguments": "The call's arguments do not fit.",
    "busy": "The component is busy.",
    "failed": "The call failed.",
    "malformed": "This is no frame.",
    "not-joined": "The component has not been joined.",
    "refused": "This may not be called.",
    "timeout": "The call took too long.",
    "too-many": "There are too many components.",
    "unknown": "It is not known whether the call was made.",
}

_serial = count(1)


class Screen:
    """The components that a browser shows, as far as the server remembers their HTML."""

    def __init__(
        self, live: Live, emit: Emit, failed: Failed | None = None, *, whole: bool = False
    ) -> None:
        self.closed = False
        self._live = live
        self._emit = emit
        self._failed = failed
        self._serial = next(_serial)
        #: Whether another conversation changes what the browser shows, too.
        self._whole = whole

    def shows(self, n: int, version: float) -> bool:
        """Whether the browser is known to show that version."""
        base = self._live.bases.get((self._serial, n))
        return base is not None and base[0] == version

    def is_as(self, n: int, version: float, html: str) -> bool:
        """Whether the browser is known to show that HTML as that version."""
        return self._live.bases.get((self._serial, n)) == (version, html)

    def drop(self, n: int) -> None:
        """Forget a component that has gone."""
        self._live.bases.drop((self._serial, n))

    async def fill(self, n: int, version: float, html: str) -> None:
        """Send a component's whole HTML."""
        self._live.bases.put((self._serial, n), version, html)
        await self.send(frames.html(n, version, html, 0))

    async def show(self, n: int, version: float, html: str, seq: int) -> None:
        """Answer call `seq` with HTML: as the difference to what is shown, where that is less."""
        base = self._live.bases.put((self._serial, n), version, html)
        if base is None or self._whole:
            frame = frames.html(n, version, html, seq)
        elif base[1] == html:
            frame = frames.same(n, version, seq)
        else:
            frame = frames.spliced(n, version, base[0], difference(base[1], html), seq)
            if len(frame) > len(html):  # the whole HTML may be less
                frame = min(frames.html(n, version, html, seq), frame, key=len)
        await self.send(frame)

    async def fail(self, n: int, seq: int, code: str, error: Exception | None = None) -> None:
        """Say that a call or join failed; why, only where errors may be shown."""
        message = _MESSAGES.get(code, "")
        if error is not None and self._failed is not None:
            self._failed(n, error)
        if error is not None and self._live.show_errors:
            message = str(error) if isinstance(error, AsokError) else repr(error)
        await self.send(frames.failed(n, seq, code, message))

    async def send(self, frame: str) -> None:
        """Send a frame, unless the conversation is over."""
        if self.closed:
            return
        try:
            await self._emit(frame)
        except Exception:
            # A transport that can't send has lost its browser, which comes back and joins
            # again; what was committed is answered then. The transport closes us itself.
            log.debug("a frame could not be sent", exc_info=True)
            self.closed = True
