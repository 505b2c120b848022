"""One answer on its way to a browser: HTML gets the script that keeps the page up to date."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from starlette.types import Message, Send

__all__ = ["Answer"]

Headers = list[tuple[bytes, bytes]]

#: With a validator the browser would be told that the old page, which names the old version
#: in its script, is still good, and would load it again for ever.
_VALIDATORS: Final = frozenset({b"etag", b"last-modified"})
#: A policy need not allow the site's own files: `strict-dynamic` doesn't.
_NONCE: Final = re.compile(rb"'nonce-([A-Za-z0-9+/_=-]+)'")


class Answer:
    """Stands before `send`; `script(attribute)` returns the tags for a page that is sent now,
    each with `attribute`, the nonce of the page's policy.

    `refuse(status)` may say that this answer is not to be sent at all; then `refused` is
    set and something else can be sent in its place.
    """

    def __init__(
        self,
        send: Send,
        *,
        script: Callable[[str], bytes],
        refuse: Callable[[int], bool],
        head: bool,
    ) -> None:
        self.status = 0
        self.refused = False
        self.cache_status = ""
        self._send = send
        self._script = script
        self._refuse = refuse
        self._head = head
        self._tag = b""

    @property
    def started(self) -> bool:
        """Whether the browser has got the beginning of it."""
        return self.status != 0 and not self.refused

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message of an HTTP response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.refused = self._refuse(self.status)
            if not self.refused and not self._head:
                message = self._begun(message)
        elif self._tag and not message.get("more_body", False):
            # After `</html>`: browsers take it as the body's last element (HTML, 13.2.6.4.22).
            message = {**message, "body": bytes(message.get("body", b"")) + self._tag}
        if not self.refused:
            await self._send(message)

    def _begun(self, message: Message) -> Message:
        headers: Headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        fields = dict(headers)
        self.cache_status = fields.get(b"cache-status", b"").decode("latin-1")
        if (
            not fields.get(b"content-type", b"").startswith(b"text/html")
            or b"content-encoding" in fields
            or message["status"] in (204, 304)
        ):
            return message
        nonce = _NONCE.search(fields.get(b"content-security-policy", b""))
        self._tag = self._script(f' nonce="{nonce[1].decode("ascii")}"' if nonce else "")
        changed: Headers = []
        for name, value in headers:
            if name == b"content-length":
                value = str(int(value) + len(self._tag)).encode()
            elif name == b"cache-control" and b"no-" not in value:
                value = b"no-cache"
            if name not in _VALIDATORS:
                changed.append((name, value))
        result: dict[str, Any] = {**message, "headers": changed}
        return result
