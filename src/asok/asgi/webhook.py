"""`/asok/revalidate`: a CMS says which pages and tags changed, and they are rendered anew.

```
POST /asok/revalidate
webhook-id, webhook-timestamp, webhook-signature       as standardwebhooks.com says, or
Authorization: Bearer <ASOK_REVALIDATE_SECRET>         for senders that can only set a header

{"paths": ["/blog/first", "/blog/[slug]"], "tags": ["posts"], "block": false}
```

A message that is sent twice invalidates twice, which does no harm: within five minutes it
may be repeated, as senders do that got no answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from asok.asgi.announcement import Announcement
from asok.errors import ConfigurationError, RevalidationError
from asok.pages import OnDemand, Target

__all__ = ["WEBHOOK_PATH", "Webhook", "WebhookKey"]

log = logging.getLogger("asok.pages")

WEBHOOK_PATH: Final = "/asok/revalidate"
#: Bytes of a body: a thousand addresses have room.
MAX_BODY: Final = 64 * 1024
#: Seconds that the sender's clock may differ, as in the reference implementations.
TOLERANCE: Final = 300
#: Signatures that are looked at: one for each key that a sender is about to retire.
_MAX_SIGNATURES: Final = 16
_PREFIX: Final = "whsec_"


class WebhookKey:
    """Proves that a message was sent by who knows `secret` (ASOK_REVALIDATE_SECRET).

    `whsec_` before Base64 is how Standard Webhooks write a key; any other text is the key
    itself. `clock` gives seconds since the epoch.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._bearer = secret.encode()
        self._clock = clock
        self._key = self._bearer
        if secret.startswith(_PREFIX):
            text = secret.removeprefix(_PREFIX)
            try:
                self._key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except binascii.Error as error:
                raise ConfigurationError(
                    f"ASOK_REVALIDATE_SECRET begins with {_PREFIX}, but what follows is no Base64.",
                    fix="Copy it whole from the sender's page, or choose a secret of your own.",
                ) from error
            if len(self._key) < 16:
                raise ConfigurationError(
                    f"ASOK_REVALIDATE_SECRET is a key of {len(self._key)} bytes, expected at "
                    "least 16.",
                    fix="Make one: python -c \"import base64, os; print('whsec_' + "
                    'base64.b64encode(os.urandom(32)).decode())"',
                )

    def problem(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Say why a message proves nothing, or None where it is genuine."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            same = hmac.compare_digest(given.strip().encode("latin-1"), self._bearer)
            return None if same else "the bearer token is not ASOK_REVALIDATE_SECRET"
        signed = headers.get("webhook-signature", "")
        if not signed:
            return "there is neither a webhook-signature nor an Authorization: Bearer header"
        number, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not number:
            return "there is no webhook-id header"
        if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
            return "webhook-timestamp is no number of seconds since the epoch"
        off = self._clock() - int(moment)
        content = f"{number}.{moment}.".encode("latin-1") + body
        wanted = base64.b64encode(hmac.new(self._key, content, hashlib.sha256).digest())
        found = False
        for one in signed.split(" ")[:_MAX_SIGNATURES]:
            version, _, signature = one.partition(",")
            found |= version == "v1" and hmac.compare_digest(signature.encode("latin-1"), wanted)
        if not found:
            return "no webhook-signature fits this id, timestamp and body"
        if abs(off) > TOLERANCE:
            return (
                f"webhook-timestamp is {abs(off):.0f} seconds {'old' if off > 0 else 'ahead'}, "
                f"expected at most {TOLERANCE}: send the message anew, or set the clocks"
            )
        return None


class Webhook:
    """The ASGI application of the webhook: no session, no CSRF token, never cached.

    It answers 200 with what was revalidated and, under "refused", the paths that no stored
    page answers; 404 where that is all of them. One wrong path holds up no other.
    """

    def __init__(self, key: WebhookKey, on_demand: OnDemand) -> None:
        self._key = key
        self._on_demand = on_demand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a socket is closed before it opens."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "no socket here"})
            return
        response = await self._answer(Request(scope, receive))
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> JSONResponse:
        if request.method != "POST":
            text = f"{request.method} is not answered here, expected POST"
            return _failure(405, text, {"allow": "POST"})
        body = await _read(request)
        if body is None:
            text = f"the body is larger than {MAX_BODY} bytes; send several messages"
            return _failure(413, text, {"connection": "close"})
        problem = self._key.problem(request.headers, body)
        if problem is not None:
            log.warning("a message to %s was refused: %s", WEBHOOK_PATH, problem)
            return _failure(401, problem, {"www-authenticate": "Bearer"})
        try:
            announcement = Announcement.read(body)
        except ValueError as error:
            return _failure(400, str(error), {})
        return await to_thread.run_sync(self._carry_out, announcement)

    def _carry_out(self, message: Announcement) -> JSONResponse:
        """Invalidate what can be; nothing where a tag is none, for then the sender is wrong."""
        targets: dict[str, Target] = {}
        refused: dict[str, str] = {}
        try:
            tags = [self._on_demand.check_tag(tag) for tag in message.tags]
        except RevalidationError as error:
            return _failure(400, str(error), {})
        for path in message.paths:
            try:
                target = self._on_demand.resolve(path)
                targets[target.name] = target
            except RevalidationError as error:
                refused[path] = f"{error.message} {error.fix or ''}".rstrip()
        told = [self._on_demand.invalidate(one, block=message.block) for one in targets.values()]
        if not all((*told, self._on_demand.revalidate_tags(tags, block=message.block))):
            # The sender tries again; to do it twice does no harm.
            text = "the store of pages does not answer, so that other workers may not know of it"
            return _failure(503, text, {"retry-after": "10"})
        done = {"paths": list(targets), "tags": tags}
        log.info("revalidated by a message: %s; refused: %s", done, list(refused))
        status = 404 if refused and not targets and not tags else 200
        answer = {"revalidated": done, "block": message.block}
        return JSONResponse({**answer, "refused": refused} if refused else answer, status)


async def _read(request: Request) -> bytes | None:
    """The body; None for one that is larger than it may be, which is not read to its end."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:18]) > MAX_BODY:
        return None
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    except ClientDisconnect:
        return b""  # nobody is there to read the answer
    return bytes(body)


def _failure(status: int, problem: str, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse({"error": problem}, status, headers)
