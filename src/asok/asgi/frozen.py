"""The request of a page that is being stored: it can't read the visitor.

What a stored page shows is shown to everybody, so nothing of the visitor whose request
happened to trigger the render may get into it. There is no such visitor here: the request
is made up from the route, and whatever would differ between visitors raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request as HTTPRequest

from asok.asgi.frozen_query import FrozenQuery
from asok.asgi.request import Request
from asok.asgi.site_view import SiteView
from asok.errors import FrozenPageError
from asok.holes import Sentinels
from asok.pages.query import NO_QUERY, Query

__all__ = ["FrozenRequest"]

_WAYS_OUT = (
    "Move what depends on the visitor into a component "
    "({{ component('Name', client='defer') }}), or render this page per request "
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
    """A `Request` for `path` with `params`, the `given` parameters of `query`, and nothing else.

    Reading `session`, `cookies`, `headers`, `user`, `client`, `host`, `scheme`, `url`, the
    body, flashed messages, or a parameter in `args` that the page does not declare (`QUERY`)
    raises `FrozenPageError`. `draft` is for a render that is shown to one editor and never
    stored.
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
        query: Query = NO_QUERY,
        given: Sequence[tuple[str, str]] = (),
        draft: bool = False,
    ) -> None:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": b"",
            "query_string": urlencode(given).encode("ascii"),
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
        self.query = query.values(given)
        self._args = FrozenQuery(given, declared=query.names, refuse=self._refuse_argument)
        self._draft = draft

    @property
    def args(self) -> QueryParams:
        """The declared query parameters that were given, as text."""
        return self._args

    @property
    def query_params(self) -> QueryParams:
        """The same as `args`."""
        return self._args

    @property
    def draft(self) -> bool:
        """Whether this render is for an editor in draft mode; it is never stored then."""
        return self._draft

    def enable_draft(self) -> None:
        """Not here: the cookie would be everybody's."""
        self._refuse_draft("enable_draft")

    def disable_draft(self) -> None:
        """Not here either."""
        self._refuse_draft("disable_draft")

    def _refuse_draft(self, name: str) -> NoReturn:
        raise FrozenPageError(
            f"this page is stored for every visitor (SSG), but it called request.{name}(), "
            "which sets a cookie of one.",
            fix="Call it in a post(request) handler, or on a page without SSG.",
        )

    def _refuse_argument(self, name: str | None) -> NoReturn:
        read = "the whole query (request.args)" if name is None else f"request.args[{name!r}]"
        declare = 'QUERY = ("page",)' if name is None else f'QUERY = ("{name}",)'
        raise FrozenPageError(
            f"{self.path} is stored for every visitor (SSG), but it read {read}, which it does "
            "not declare.",
            fix=f"Declare it in the page's module, {declare}, and every value is a page of its "
            f"own. Or: {_WAYS_OUT[0].lower()}{_WAYS_OUT[1:]}",
        )

    session = _refuse("session")  # type: ignore[assignment]
    cookies = _refuse("cookies")  # type: ignore[assignment]
    headers = _refuse("headers")  # type: ignore[assignment]
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
