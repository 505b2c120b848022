"""The panel's server side: remembers the latest pages, and tells their browsers what was done."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asok.cli.dev.browsers import Browsers
from asok.cli.dev.masking import Masker
from asok.cli.dev.panel.facts import Facts
from asok.cli.dev.panel.visit import Visit
from asok.cli.dev.panel.work import Work
from asok.observing import observed

__all__ = ["Panel"]

#: Pages that are remembered; a page that was forgotten shows its live frames only.
_KEPT: Final = 50


class Panel:
    """Of one generation. `facts` is None where there is no site to ask."""

    def __init__(self, browsers: Browsers, masker: Masker, facts: Facts | None) -> None:
        self._browsers = browsers
        self._masker = masker
        self._facts = facts
        self._number = 0
        self._kept: OrderedDict[int, Visit] = OrderedDict()
        browsers.page = self.message

    def begin(self, method: str, path: str) -> Visit:
        """Begin to look at a request."""
        return Visit(method=method, path=path, request=Work(self._masker), live=Work(self._masker))

    def show(self, visit: Visit) -> str:
        """Return the URL of the script for a page that is sent now, and remember the page."""
        self._number += 1
        visit.number = self._number
        self._kept[visit.number] = visit
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return f"/asok/dev/panel/tap.js?page={visit.number}"

    def end(
        self, visit: Visit, status: int, milliseconds: float, *, path: str, cache_status: str
    ) -> None:
        """Note how a request ended; `path` is the one below the mount."""
        visit.status, visit.milliseconds, visit.cache_status = status, milliseconds, cache_status
        if visit.number:
            visit.route = self._facts.route(path) if self._facts is not None else None
            self._tell(visit.number)

    async def live(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection by `app`; what live calls do is noted for the page they come from."""
        visit = self._kept.get(_page_of(scope))
        if visit is None:
            await app(scope, receive, send)
            return

        told = visit.live.revision

        async def tell(message: Message) -> None:
            nonlocal told
            await send(message)
            if told != visit.live.revision:
                told = visit.live.revision
                self._tell(visit.number)

        with observed(visit.live):
            # Without our number: guards see the address that they see in production.
            await app({**scope, "query_string": b""}, receive, tell)

    def message(self, number: int) -> list[Any] | None:
        """Return what the browser of a page is told; None where the page is not remembered."""
        visit = self._kept.get(number)
        if visit is None:
            return None
        totals = self._facts.cache() if self._facts is not None else None
        return ["page", {**visit.to_dict(), "totals": totals}]

    def _tell(self, number: int) -> None:
        message = self.message(number)
        if message is not None:
            self._browsers.tell(number, message)


def _page_of(scope: Scope) -> int:
    """The number that `tap.js` gave to its page's live calls, 0 for everything else."""
    if not scope.get("path", "").endswith("/asok/live"):
        return 0
    found = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("page", ["0"])[0]
    return int(found) if found.isascii() and found.isdigit() else 0
