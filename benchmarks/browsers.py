"""Browsers of the live components' own protocol, and of the echo that they are compared to."""

from __future__ import annotations

import json
import re

import httpx
from clicks import WebSocketVisitor

__all__ = ["Click", "Echo"]


class Click(WebSocketVisitor):
    """A browser that shows the one component of a page, and clicks on its button.

    With `html` the page is not asked for: a stored one is the same for everybody. `source` is
    the address to come from.
    """

    def __init__(
        self, url: str, path: str, method: str = "increment", *, html: str = "", source: str = ""
    ) -> None:
        cookies = ""
        if not html:
            answer = httpx.get(url + path, verify=False)
            html = answer.text
            cookies = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        token = re.search(r'data-asok-state="([^"]+)"', html)
        if token is None:
            raise SystemExit(f"{url}{path} shows no component: {html}")
        self._method = method
        self._seq = 0
        self.open(url, "/asok/live", source, origin=url, cookie=cookies)
        self.send(json.dumps(["j", 1, token[1], "0.123456789012345", None]))
        self.wait()

    def text(self) -> str:
        self._seq += 1
        # As the runtime's JSON.stringify writes it.
        return f'["c",1,{self._seq},"{self._method}",[],{{}}]'

    def answers(self, payload: bytes) -> bool:
        frame = json.loads(payload)
        if frame[0] not in ("h", "s", "o"):
            raise SystemExit(f"a click was answered by {frame}")
        return True


class Echo(WebSocketVisitor):
    """Sends what a click sends, and gets it back."""

    def __init__(self, url: str) -> None:
        self._seq = 0
        self.open(url, "/echo")

    def text(self) -> str:
        self._seq += 1
        return f'["c",1,{self._seq},"increment",[],{{}}]'

    def answers(self, payload: bytes) -> bool:
        return payload == self.up
