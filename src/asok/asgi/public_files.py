"""Files at the root of the site: what a build made for crawlers, sitemap.xml and robots.txt."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from asok.asgi.sending import send_plan
from asok.assets import Assets, FileSlice, Plan, Resource, disk_resource, respond
from asok.pages import Router

__all__ = ["development_doors", "public_doors"]

#: Crawlers keep them for a day anyhow; a proxy asks, and gets a 304.
_CONTROL: Final = "public, max-age=0, must-revalidate"
_NAMES: Final = ("robots.txt", "sitemap.xml")
_NOT_YET: Final = (
    b"This file is made by `asok build`, when BASE_URL is set. Put one of that name into "
    b"src/static to have your own.\n"
)


def public_doors(folder: Path) -> dict[str, ASGIApp]:
    """Return a door for each file of `folder`, by path; they never change, so one read each."""
    if not folder.is_dir():
        return {}

    def door(path: Path) -> ASGIApp:
        @cache
        def resource() -> Resource:
            found = FileSlice(path, 0, path.stat().st_size, folder)
            return disk_resource(path.name, found, _CONTROL)

        def plan(scope: Scope) -> Plan:
            try:
                found: Resource | None = resource()
            except OSError:  # the release was removed under a running worker
                found = None
            return respond(found, scope["method"], scope["headers"])

        return partial(_serve, plan)

    return {f"/{path.name}": door(path) for path in sorted(folder.iterdir()) if path.is_file()}


def development_doors(assets: Assets, router: Router) -> dict[str, ASGIApp]:
    """Return doors that give the site's own file, or say who makes it, while developing."""

    def door(name: str) -> ASGIApp:
        def plan(scope: Scope) -> Plan:
            headers = scope["headers"]
            found = assets.plan(scope["method"], f"{assets.prefix}/{name}", "", headers)
            if found is not None and found.status != 404:
                return found
            length = (b"content-length", str(len(_NOT_YET)).encode())
            text = (b"content-type", b"text/plain; charset=utf-8")
            body = b"" if scope["method"] == "HEAD" else _NOT_YET
            return Plan(404, (text, length, (b"cache-control", b"no-store")), body)

        return partial(_serve, plan)

    return {f"/{name}": door(name) for name in _NAMES if router.match(f"/{name}") is None}


async def _serve(plan: Callable[[Scope], Plan], scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": "no such socket"})
        return
    await send_plan(plan(scope), scope, send)
