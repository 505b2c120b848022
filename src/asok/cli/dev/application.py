"""The site's application while it is developed: errors become pages, pages follow the files."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from asok.cli.dev import screens
from asok.cli.dev.answer import Answer
from asok.cli.dev.browsers import Browsers
from asok.cli.dev.faults import Fault, read_faults, summary
from asok.cli.dev.frames import FrameReader
from asok.cli.dev.panel.panel import Panel
from asok.cli.dev.panel.visit import Visit
from asok.observing import observed

if TYPE_CHECKING:
    from asok.app import Asok

__all__ = ["DevelopmentApplication", "Log"]

log = logging.getLogger("asok.dev")

#: Called with (method, path, status, milliseconds, error lines) after each answer.
Log = Callable[[str, str, int, float, str], None]

_MOUNT: Final = "/asok/"
_KEPT: Final = 20


class DevelopmentApplication:
    """Wraps a site. `app` is None where it could not be imported; `failure` then says why."""

    def __init__(
        self,
        app: Asok | None,
        failure: BaseException | None,
        *,
        root: Path,
        reader: FrameReader,
        browsers: Browsers,
        panel: Panel,
        report: Log,
    ) -> None:
        self.app = app
        self.failure = failure
        self.root = root
        self.reader = reader
        self.browsers = browsers
        self.panel = panel
        self._report = report
        self._kept: dict[int, tuple[Fault, ...]] = {}
        self._number = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        kind, path = scope["type"], scope.get("path", "")
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif path.startswith(_MOUNT + "dev") and trusted(scope):
            await self._own(path.removeprefix(_MOUNT), scope, receive, send)
        elif kind == "http":
            await self._http(scope, receive, send)
        elif self.app is not None:
            await self.panel.live(self.app, scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1013})

    def keep(self, error: BaseException) -> None:
        """Remember an error that had no browser to be shown in, and tell those that are open."""
        faults = read_faults(error, self.reader)
        self._number += 1
        self._kept[self._number] = faults
        self._kept.pop(self._number - _KEPT, None)
        self.browsers.failed(self._number, f"{faults[0].kind}: {faults[0].message}")

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the site's own; where its start fails, serve the error instead of ending."""
        if self.app is not None:
            answered: list[str] = []

            async def answer(message: Message) -> None:
                answered.append(message["type"])
                if message["type"] != "lifespan.startup.failed":
                    await send(message)

            try:
                await self.app(scope, receive, answer)
                return
            except Exception as error:
                if "lifespan.startup.complete" in answered:
                    raise
                self.app, self.failure = None, error
        else:
            await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _own(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the development server itself."""
        if scope["type"] == "websocket":
            await self.browsers(scope, receive, send)
            return
        found = screens.asset(name)
        number = name.removeprefix("dev/failure/")
        response: Response
        if found is not None:
            response = Response(found[0], media_type=found[1])
        elif number.isdigit() and int(number) in self._kept:
            response = self._screen(self._kept[int(number)], "")
        else:
            response = PlainTextResponse("There is no such thing here any more.\n", 404)
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method, path = scope["method"], scope["path"]
        visit = self.panel.begin(method, path)
        answer = Answer(
            send,
            script=lambda nonce: self._scripts(scope, visit, nonce),
            refuse=lambda status: status == 404 and self._is_missing(scope),
            head=method == "HEAD",
        )
        lines = ""
        status = 500
        try:
            if self.app is None:
                # Not raised: every raise would make its traceback longer.
                assert self.failure is not None
                faults = read_faults(self.failure, self.reader)
                await self._failed(scope, faults, f"{method} {path}")(scope, receive, send)
                return
            with observed(visit.request):
                await self.panel.live(self.app, scope, receive, answer)
            status = answer.status
            if answer.refused:
                await self._missing(scope)(scope, receive, send)
        except Exception as error:
            faults = read_faults(error, self.reader)
            lines = summary(faults)
            if answer.started:
                # The browser has got a part of the page already: all that is left is to stop.
                self.keep(error)
                raise
            response = self._failed(scope, faults, f"{method} {path}")
            await response(scope, receive, send)
        finally:
            took = (time.perf_counter() - started) * 1000
            self._report(method, path, status, took, lines)
            below = scope.get("asok.path", path)
            self.panel.end(visit, status, took, path=below, cache_status=answer.cache_status)

    def _scripts(self, scope: Scope, visit: Visit, nonce: str) -> bytes:
        """The tags for the end of a page; the panel's runs before the page's own modules."""
        tags = f'\n<script src="/asok/dev.js?v={self.browsers.version}" defer{nonce}></script>\n'
        if trusted(scope):
            tags = f'\n<script src="{self.panel.show(visit)}"{nonce}></script>{tags}'
        return tags.encode()

    def _failed(self, scope: Scope, faults: tuple[Fault, ...], asked: str) -> Response:
        if not trusted(scope):
            # The page shows source and values: only to whom we know to be the developer.
            return PlainTextResponse("This page failed; see the terminal.\n", 500)
        if not wants_html(scope):
            text = "\n\n".join(summary((fault,)) for fault in faults)
            return PlainTextResponse(f"{text}\n", 500, headers={"cache-control": "no-store"})
        return self._screen(faults, asked)

    def _screen(self, faults: tuple[Fault, ...], asked: str) -> Response:
        body = screens.failure_screen(faults, asked=asked, version=self.browsers.version)
        return _page(body, 500)

    def _is_missing(self, scope: Scope) -> bool:
        """Whether a 404 is one that no page of the site wanted to give."""
        return (
            self.app is not None
            and scope["method"] == "GET"
            and scope["query_string"] != b"asok-404"
            and wants_html(scope)
            and trusted(scope)
            and self.app.router.match(scope.get("asok.path", scope["path"])) is None
        )

    def _missing(self, scope: Scope) -> Response:
        assert self.app is not None
        body = screens.missing_screen(
            scope["path"],
            self.app.router,
            self.root,
            own=404 in self.app.tree.errors,
            version=self.browsers.version,
        )
        return _page(body, 404)


def _page(body: str, status: int) -> Response:
    headers = {
        "cache-control": "no-store",
        "content-security-policy": screens.POLICY,
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(body, status, headers)


def wants_html(scope: Scope) -> bool:
    """Whether the request comes from a browser that is going to show a page."""
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def trusted(scope: Scope) -> bool:
    """Whether the request names this machine or an address, not a domain of somebody else.

    A foreign page can make its own domain point here (DNS rebinding) and would then read
    what we answer; it can't choose an IP address or `localhost` as its name.
    """
    headers = dict(scope["headers"])
    return _is_here(headers.get(b"host", b"").decode("latin-1")) and (
        b"origin" not in headers
        or _is_here(headers[b"origin"].decode("latin-1").partition("://")[2])
    )


def _is_here(netloc: str) -> bool:
    name = netloc.rsplit(":", 1)[0] if not netloc.endswith("]") else netloc
    name = name.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
