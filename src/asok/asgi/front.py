"""The outermost ASGI callable: what can be answered before routing is answered here.

In order: the Host is checked; stored pages without guards, by one dictionary look-up; static
files; the site's own doors (the live socket, …); then everything else goes to the dispatcher.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from asok.asgi.hosts import HostCheck
from asok.asgi.sending import send_plan
from asok.assets import Header, Plan
from asok.pages import Prepared

__all__ = ["Files", "Front", "Hits"]


class Files(Protocol):
    """Files under a prefix: the site's assets, the runtime."""

    @property
    def prefix(self) -> str:
        """The path that every URL begins with, without a slash at its end."""
        ...

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` is none of these files."""
        ...


class Hits(Protocol):
    """Stored pages that may be sent without asking anybody."""

    def find(self, path: str) -> Prepared | None:
        """Return the fresh page of `path`, or None where the long way is due."""
        ...

    async def send(self, prepared: Prepared, scope: Scope, send: Send) -> None:
        """Send it."""
        ...


class Front:
    """Routes a scope by kind and path.

    `assets` are tried in order, the runtime's file among them; `doors` are applications for
    one path below the mount each, which answer both kinds of scope.
    """

    def __init__(
        self,
        *,
        hosts: HostCheck,
        assets: tuple[Files, ...],
        hits: Hits,
        doors: Mapping[str, ASGIApp],
        inner: ASGIApp,
        lifespan: ASGIApp,
    ) -> None:
        self._hosts = hosts
        self._assets = tuple((f"{one.prefix}/", one) for one in assets)
        self._hits = hits
        self._doors = doors
        self._inner = inner
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection (ASGI 3.0)."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        mount: str = scope.get("root_path", "")
        if mount and (path == mount or path.startswith(f"{mount}/")):  # not "/sitemap" at "/site"
            path = path[len(mount) :] or "/"
        scope["asok.path"] = path
        if self._hosts.of(scope["headers"]) is None:
            await _refuse_host(scope, receive, send)
            return
        if kind == "http":
            method: str = scope["method"]
            if method in ("GET", "HEAD"):
                hit = self._hits.find(path)
                if hit is not None:
                    await self._hits.send(hit, scope, send)
                    return
            for prefix, assets in self._assets:
                if path.startswith(prefix):
                    query = scope["query_string"].decode("latin-1")
                    plan = assets.plan(method, path, query, scope["headers"])
                    if plan is not None:
                        await send_plan(plan, scope, send)
                        return
        door = self._doors.get(path)
        if door is not None:
            await door(scope, receive, send)
        elif kind == "http":
            await self._inner(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "no such socket"})


_TEXT = b"This host is not served here. Set ALLOWED_HOSTS if it should be.\n"


async def _refuse_host(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "unknown host"})
        return
    headers: list[Any] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_TEXT)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else _TEXT
    await send({"type": "http.response.body", "body": body})
