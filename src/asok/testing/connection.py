"""A browser without a browser: speaks the wire protocol and applies what it is sent."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from asok.live import Live
from asok.live.splice import apply

__all__ = ["Connection", "Shown", "wrappers"]

_WRAPPER = re.compile(
    r'<div id="asok-([^"]+)" data-asok-component="([^"]+)" data-asok-state="([^"]+)"'
    r'(?: data-asok-client="([^"]+)")?'
)


def wrappers(page: str) -> list[dict[str, str]]:
    """The components of a page: cid, name, token, client."""
    return [
        {"cid": m[1], "name": m[2], "token": unescape(m[3]), "client": unescape(m[4] or "load")}
        for m in _WRAPPER.finditer(page)
    ]


class Shown:
    """One component as the browser shows it; `html` is None until the server sent some."""

    def __init__(self, n: int, token: str) -> None:
        self.n = n
        self.token = token
        self.html: str | None = None
        self.version: int | float | None = None
        #: Calls without an answer.
        self.pending: list[list[Any]] = []
        #: What failed: the call's number, a code, a message.
        self.errors: list[tuple[int, str, str]] = []


class Connection:
    """A page view (`tab`) with its socket; `connect` again after `reconnect` as a browser does.

    `options` are those of `Live.conversation`. Made on a running loop.
    """

    def __init__(
        self, live: Live, session_id: str = "visitor", tab: str = "tab", **options: Any
    ) -> None:
        self.live = live
        self.session_id = session_id
        self.tab = tab
        self.options = options
        self.frames: list[list[Any]] = []
        self.sent: list[str] = []
        self.received: list[str] = []
        self.closed: tuple[int, str] | None = None
        self.shown: dict[int, Shown] = {}
        #: The HTML of each component as it was shown, oldest first.
        self.shows: list[tuple[int, str]] = []
        self.reloads: list[str] = []
        self.csrf: str | None = None
        self._seq = 0
        self._last = 0
        self._news = asyncio.Event()
        self.connect()

    def connect(self) -> None:
        """Open a socket."""
        self.closed = None
        self.conversation = self.live.conversation(
            self.session_id, emit=self._take, hang_up=self._hung_up, **self.options
        )

    async def reconnect(self) -> None:
        """Lose the socket and open another one: join again what was joined, with the calls not
        yet answered."""
        await self.conversation.close()
        self.connect()
        for one in self.shown.values():
            version = one.version if one.html is not None else None
            await self.send(["j", one.n, one.token, self.tab, version])
            for call in one.pending:
                await self.send(call)
        await self.settle()

    async def send(self, frame: list[Any], files: dict[str, Any] | None = None) -> None:
        """Send one frame as it is, with what a form's file fields mean."""
        text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
        self.sent.append(text)
        await self.conversation.receive(text, files=files)

    async def settle(self) -> None:
        """Wait for the answers."""
        await self.conversation.settle()

    async def join(self, page: str | Iterable[str]) -> list[Shown]:
        """Join every component of a page (or of these tokens)."""
        tokens = [one["token"] for one in wrappers(page)] if isinstance(page, str) else list(page)
        joined: list[Shown] = []
        for token in tokens:
            self._last += 1
            one = Shown(self._last, token)
            self.shown[one.n] = one
            joined.append(one)
            await self.send(["j", one.n, token, self.tab, None])
        await self.settle()
        return joined

    async def leave(self, one: Shown) -> None:
        """Say that a component has gone from the page."""
        self.shown.pop(one.n, None)
        await self.send(["l", one.n])

    async def call(
        self,
        one: Shown,
        method: str,
        *args: Any,
        data: Any = None,
        files: dict[str, Any] | None = None,
        wait: bool = True,
    ) -> int:
        """Call a method; returns its sequence number."""
        self._seq += 1
        frame = ["c", one.n, self._seq, method, list(args), data]
        one.pending.append(frame)
        await self.send(frame, files)
        if wait:
            await self.settle()
        return self._seq

    async def wait_for(self, kind: str) -> list[Any]:
        """Wait until a frame of that kind came; return it."""
        while True:
            for frame in self.frames:
                if frame[0] == kind:
                    return frame
            self._news.clear()
            await self._news.wait()

    async def _hung_up(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def _take(self, text: str) -> None:
        self.received.append(text)
        frame: list[Any] = json.loads(text)
        self.frames.append(frame)
        self._apply(frame)
        self._news.set()

    def _apply(self, frame: list[Any]) -> None:
        kind = frame[0]
        if kind == "t":
            self.csrf = frame[1]
            return
        if kind == "r":
            self.reloads.append(frame[1])
            return
        one = self.shown.get(frame[1])
        if one is None or kind in "dg":
            return
        if kind == "e":
            _, _, seq, code, message = frame
            one.errors.append((seq, code, message))
        elif kind == "h":
            _, _, one.version, one.html, seq = frame
        elif kind == "s":
            _, _, version, base, splices, seq = frame
            one.html = _spliced(one, base, splices)
            one.version = version
        else:
            assert kind == "o", frame
            _, _, one.version, seq = frame
        if kind in "hs":
            self.shows.append((one.n, one.html or ""))
        if seq:
            one.pending = [call for call in one.pending if call[2] > seq]


def _spliced(one: Shown, base: float, splices: list[list[Any]]) -> str:
    """Apply a difference; the assertions are what the protocol promises."""
    assert one.html is not None, "a difference to nothing"
    assert base == one.version, f"base {base}, but this shows {one.version}"
    ends = 0
    for at, size, _ in splices:
        assert at >= ends, "splices overlap"
        ends = at + size
    return apply(one.html, [(at, size, new) for at, size, new in splices])
