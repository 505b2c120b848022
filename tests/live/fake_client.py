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

__all__ = ["FakeClient", "Shown", "wrappers"]

_WRAPPER = re.compile(
    r'<div id="asok-([^"]+)" data-asok-component="([^"]+)" data-asok-state="([^"]+)"'
    r'(?: data-asok-client="([^"]+)")?>'
)


def wrappers(page: str) -> list[dict[str, str]]:
    """The components of a page: id, name, token, client."""
    return [
        {"cid": m[1], "name": m[2], "token": unescape(m[3]), "client": unescape(m[4] or "load")}
        for m in _WRAPPER.finditer(page)
    ]


class Shown:
    """One component as the browser shows it."""

    def __init__(self, n: int, token: str) -> None:
        self.n = n
        self.token = token
        self.html: str | None = None
        self.version: int | None = None
        self.pending: list[list[Any]] = []
        self.errors: list[tuple[int, str, str]] = []


class FakeClient:
    """A page view (`tab`) with its socket; `connect` again after `drop` as a browser does."""

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
        self.reloads: list[str] = []
        self.csrf: str | None = None
        self._seq = 0
        self._news = asyncio.Event()
        self.connect()

    def connect(self) -> None:
        """Open the socket, and join again what was joined, with the calls not yet answered."""
        self.closed = None
        self.conversation = self.live.conversation(
            self.session_id, emit=self._take, hang_up=self._hung_up, **self.options
        )

    async def reconnect(self) -> None:
        """Lose the socket and open another one."""
        await self.conversation.close()
        self.connect()
        for one in self.shown.values():
            version = one.version if one.html is not None else None
            await self.send(["j", one.n, one.token, self.tab, version])
            for call in one.pending:
                await self.send(call)
        await self.settle()

    async def send(self, frame: list[Any]) -> None:
        """Send one frame as it is."""
        text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
        self.sent.append(text)
        await self.conversation.receive(text)

    async def settle(self) -> None:
        """Wait for the answers."""
        await self.conversation.settle()

    async def join(self, page: str | Iterable[str]) -> list[Shown]:
        """Join every component of a page (or of these tokens)."""
        tokens = [one["token"] for one in wrappers(page)] if isinstance(page, str) else list(page)
        joined: list[Shown] = []
        for token in tokens:
            one = Shown(len(self.shown) + 1, token)
            self.shown[one.n] = one
            joined.append(one)
            await self.send(["j", one.n, token, self.tab, None])
        await self.settle()
        return joined

    async def call(
        self, one: Shown, method: str, *args: Any, data: Any = None, wait: bool = True
    ) -> int:
        """Call a method; returns its sequence number."""
        self._seq += 1
        frame = ["c", one.n, self._seq, method, list(args), data]
        one.pending.append(frame)
        await self.send(frame)
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
        if one is None:
            return
        if kind in "dg":
            return
        if kind == "e":
            _, _, seq, code, message = frame
            one.errors.append((seq, code, message))
        elif kind == "h":
            _, _, one.version, one.html, seq = frame
        elif kind == "s":
            _, _, version, base, splices, seq = frame
            assert one.html is not None, "a difference to nothing"
            assert base == one.version, f"base {base}, but this shows {one.version}"
            ends = 0
            for at, size, _ in splices:
                assert at >= ends, "splices overlap"
                ends = at + size
            one.html = apply(one.html, [(at, size, new) for at, size, new in splices])
            one.version = version
        else:
            assert kind == "o", frame
            _, _, one.version, seq = frame
        if seq:
            one.pending = [call for call in one.pending if call[2] > seq]
