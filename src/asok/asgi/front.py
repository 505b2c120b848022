"""The outermost ASGI callable: what can be answered before routing is answered here.

In order: the Host is checked; static files, below their prefixes, and
stored pages without guards, each by a dictionary look-up; the site's own doors (the live socket,
…); then everything else goes to the dispatcher.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asok.asgi.hosts import HostCheck
from asok.asgi.sending import send_plan
from asok.assets import Header, Plan

__all__ = ["Answer", "Files", "Front", "Hits"]

#: Status, headers and body.
Answer = tuple[int, Sequence[Header], bytes]


class Files(Protocol):
    """Files under a prefix: the site's assets, the runtime."""

    @property
    def prefix(self) -> str:
        """The path that every URL begins with, without a slash at its end."""
        ...

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` is none of these files."""
        ...

    def ready(self, path: str, headers: Mapping[bytes, bytes]) -> Plan | None:
        """Return the 200 that a GET got before, None where `plan` is to be asked.

        Its body is in memory. `headers` are the request's, each of which is there once.
        """
        ...


class Hits(Protocol):
    """Stored pages that may be sent without asking anybody."""

    def hit(self, path: str, scope: Scope, fields: Mapping[bytes, bytes]) -> Answer | None:
        """Return the page of `path` for the visitor of `scope`, None where the long way is due.

        `fields` are the request's headers, each of which is there once.
        """
        ...


class Front:
    """Routes a scope by kind and path.

    `assets` are tried in order, the runtime's file among them; `doors` are applications for
    one path below the mount each, which answer both kinds of scope. `base_path` is where the
    site is mounted if the server does not say so itself (`root_path`).
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
        base_path: str = "",
    ) -> None:
        self._hosts = hosts
        self._known = hosts.known
        self._files = tuple((f"{one.prefix}/", one) for one in assets)
        #: One look, which is all that files cost the pages.
        self._prefixes = tuple(prefix for prefix, _ in self._files)
        self._hits = hits
        self.doors = doors
        self._inner = inner
        self._lifespan = lifespan
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection (ASGI 3.0)."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        mount: str = scope.get("root_path", "") or self._base_path
        if mount and (path == mount or path.startswith(f"{mount}/")):  # not "/sitemap" at "/site"
            path = path[len(mount) :] or "/"
        raw = scope.get("raw_path")
        if raw is not None and b"%2" in raw and b"%2f" in raw.lower():
            # Whoever looked at the encoded path, a proxy or a guard before it, saw one segment:
            # no page and no file here has a slash in one (see `Dispatcher`).
            path += "\ufffd"
        scope["asok.path"] = path
        headers: Sequence[Header] = scope["headers"]
        fields = dict(headers)
        # Where a name is there twice, `fields` lacks a value: the long way looks at all.
        once = len(fields) == len(headers)
        if not (once and self._known(fields.get(b"host"))) and not self._hosts.of(headers):
            await _refuse_host(scope, receive, send)
            return
        if kind == "http":
            method: str = scope["method"]
            if path.startswith(self._prefixes):
                files = self._files_of(path)
                kept = files.ready(path, fields) if once and method == "GET" else None
                if kept is not None:
                    start = {"type": "http.response.start", "status": 200, "headers": kept.headers}
                    await send(start)
                    await send({"type": "http.response.body", "body": kept.body})
                    return
                query = scope["query_string"].decode("latin-1")
                plan = files.plan(method, path, query, headers)
                if plan is not None:
                    await send_plan(plan, scope, send)
                    return
            elif once and method in ("GET", "HEAD"):
                hit = self._hits.hit(path, scope, fields)
                if hit is not None:
                    status, answer, body = hit
                    await send({"type": "http.response.start", "status": status, "headers": answer})
                    if method == "HEAD":
                        body = b""
                    await send({"type": "http.response.body", "body": body})
                    return
        door = self.doors.get(path)
        if door is not None:
            await door(scope, receive, _telling(send) if kind == "http" else send)
        elif kind == "http":
            await self._inner(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "no such socket"})

    def _files_of(self, path: str) -> Files:
        for prefix, files in self._files[:-1]:
            if path.startswith(prefix):
                return files
        return self._files[-1][1]


_TEXT = b"This host is not served here. Set ALLOWED_HOSTS if it should be.\n"


def _telling(send: Send) -> Send:
    """Say in `Cache-Status` that no store was asked, where a door says nothing itself."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Header] = list(message.get("headers", ()))
            if not any(name == b"cache-status" for name, _ in headers):
                headers.append((b"cache-status", b"asok; fwd=bypass; detail=dynamic"))
            message = {**message, "headers": headers}
        await send(message)

    return tell


async def _refuse_host(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "unknown host"})
        return
    headers: list[Any] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_TEXT)).encode()),
        (b"cache-control", b"no-store"),
        (b"cache-status", b"asok; fwd=bypass; detail=host"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else _TEXT
    await send({"type": "http.response.body", "body": body})
