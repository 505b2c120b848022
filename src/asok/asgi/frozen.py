"""The request of a page that is being stored: it can't read the visitor.

What a stored page shows is shown to everybody, so nothing of the visitor whose request
happened to trigger the render may get into it. There is no such visitor here: the request
is made up from the route, and whatever would differ between visitors raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from starlette.requests import Request as HTTPRequest

from asok.asgi.request import Request, SiteView
from asok.errors import FrozenPageError
from asok.holes import Sentinels

__all__ = ["FrozenRequest"]

_WAYS_OUT = (
    "Move what depends on the visitor into a component "
    "({{ component('Name', client='load') }}), or render this page per request "
    "(remove SSG = True)."
)


class _NoVisitor:
    """Stands where the visitor would be."""

    def __init__(self, sentinels: Sentinels) -> None:
        self.secrets = sentinels


def _refuse(name: str) -> property:
    def read(self: FrozenRequest) -> NoReturn:
        raise FrozenPageError(
            f"this page is stored for every visitor (SSG), but it read request.{name}, "
            "which differs between them.",
            fix=_WAYS_OUT,
        )

    return property(read)


class FrozenRequest(Request):
    """A `Request` for `path` with `params` and nothing else.

    Reading `session`, `cookies`, `headers`, `args`, `user`, `client`, `host`, `scheme`,
    `url`, the body or flashed messages raises `FrozenPageError`.
    """

    frozen = True

    def __init__(
        self,
        *,
        site: SiteView,
        path: str,
        params: Mapping[str, Any],
        sentinels: Sentinels,
        page_folder: Path | None,
    ) -> None:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": b"",
            "query_string": b"",
            "headers": [],
            "asok.path": path,
        }
        super().__init__(
            HTTPRequest(scope),
            site=site,
            params=params,
            visitor=_NoVisitor(sentinels),  # type: ignore[arg-type]
            page_folder=page_folder,
        )

    session = _refuse("session")  # type: ignore[assignment]
    cookies = _refuse("cookies")  # type: ignore[assignment]
    headers = _refuse("headers")  # type: ignore[assignment]
    args = _refuse("args")  # type: ignore[assignment]
    query_params = _refuse("query_params")  # type: ignore[assignment]
    user = _refuse("user")  # type: ignore[assignment]
    client = _refuse("client")  # type: ignore[assignment]
    ip = _refuse("ip")  # type: ignore[assignment]
    host = _refuse("host")  # type: ignore[assignment]
    scheme = _refuse("scheme")  # type: ignore[assignment]
    url = _refuse("url")  # type: ignore[assignment]
    form = _refuse("form")  # type: ignore[assignment]
    files = _refuse("files")  # type: ignore[assignment]
    body = _refuse("body")  # type: ignore[assignment]
    json_body = _refuse("json_body")  # type: ignore[assignment]
