"""One static view with a cache-breaker: its current URLs, and those of other deploys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO
from urllib.parse import quote

from asok.assets import NOT_FOUND, Age, Breaker, FileSlice, Plan, Resource, names, respond
from asok.assets.files import CHUNK, FileParts
from asok.assets.plan import PREMATURE, moved
from tet.asset_folder import AssetFolder
from tet.cachebreaker import PLACEHOLDER
from tet.framework import Request, Response, new_response, not_found

__all__ = ["StaticView"]

_INDEX = "index.html"

# What a plan depends on, as WSGI names it.
_READ = tuple(
    ("HTTP_" + name.upper().replace("-", "_"), name.encode())
    for name in (
        "accept-encoding", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "range",
    )
)  # fmt: skip


class StaticView:
    """Serves `folder` under `pattern`, whose `{breaker}` is `breaker.current`.

    `pattern` has the route prefix in front and no slash at its ends. `redirect_route` names
    the route that generates current URLs. `max_age` is `add_static_view`'s `cache_max_age`.
    """

    def __init__(
        self,
        *,
        pattern: str,
        breaker: Breaker,
        folder: AssetFolder,
        redirect_route: str,
        max_age: int | timedelta | None,
    ) -> None:
        self.pattern = pattern
        self.breaker = breaker
        self.folder = folder
        self.redirect_route = redirect_route
        self.max_age = max_age
        before, _, after = pattern.partition(PLACEHOLDER)
        self._paths = re.compile(f"/{re.escape(before)}[^/]+{re.escape(after)}/")

    def covers(self, path: str) -> bool:
        """Return whether the decoded path lies under this view, whatever its token."""
        return self._paths.match(path) is not None

    def is_inside(self, other: StaticView) -> bool:
        """Return whether this view's URLs lie deeper than `other`'s."""
        return self.pattern.count("/") > other.pattern.count("/")

    def current(self, context: object, request: Request) -> Response:
        """Answer a URL with the current token; an absent file is left to the not-found view."""
        name = _rest(request)
        resource = self.folder.resource(name or _INDEX)
        if resource is None and names.is_wellformed(name.removesuffix("/")):
            folder = name.removesuffix("/") + "/"
            resource = self.folder.resource(folder + _INDEX)
            if resource is not None and name != folder:
                return _send(self._redirect(request, folder), request)
        response = self._answer(resource, request)
        if self.max_age is not None and response.status_int in {200, 206, 304}:
            response.cache_expires = self.max_age
        return response

    def other(self, context: object, request: Request) -> Response:
        """Answer a URL with any other token.

        An older one is redirected to the current, a newer one is asked for again in three
        seconds, and one that can't be placed gets the current bytes, revalidated each time.
        """
        name = _rest(request)
        if not names.is_public(name.removesuffix("/")):
            raise not_found()
        match self.breaker.age(str(request.matchdict["breaker"])):
            case Age.OLDER if request.method in {"GET", "HEAD"}:
                return _send(self._redirect(request, name), request)
            case Age.NEWER if request.method in {"GET", "HEAD"}:
                return _send(PREMATURE, request)
            case _:
                response = self._answer(self.folder.resource(name), request)
                response.headers["Cache-Control"] = "no-cache"
                return response

    def _answer(self, resource: Resource | None, request: Request) -> Response:
        given = request.environ
        headers = [
            (name, given[key].encode("latin-1", "replace")) for key, name in _READ if key in given
        ]
        return _send(respond(resource, request.method, headers), request)

    def _redirect(self, request: Request, name: str) -> Plan:
        """Plan the redirect to `name` under the current token: relative, the query kept."""
        matched = request.matchdict.items()
        others = {key: value for key, value in matched if key not in {"breaker", "path", "subpath"}}
        path = request.route_path(self.redirect_route, path=tuple(name.split("/")), **others)
        # SCRIPT_NAME is in front and is the server's; whatever it holds, the goal stays on
        # this site: a second slash or a backslash would begin a host (CVE-2024-42353).
        location = "/" + path.lstrip("/\\")
        if request.query_string:
            location += "?" + quote(request.query_string, safe="%/?:@!$&'()*+,;=-._~[]")
        return moved(location)


def _rest(request: Request) -> str:
    """Return what follows the view's own part of the path, as it came.

    The route's own match has `..` and empty segments resolved already, which would hide
    them from the rule that refuses them.
    """
    depth = request.matched_route.pattern.strip("/").count("/")
    return request.path_info.split("/", depth + 1)[depth + 1]


def _send(plan: Plan, request: Request) -> Response:
    if plan.status == NOT_FOUND.status:
        raise not_found()
    headers = [(key.decode().title(), value.decode("latin-1")) for key, value in plan.headers]
    if isinstance(plan.body, bytes):
        return new_response(plan.status, headers, [plan.body] if plan.body else [])
    try:
        file = plan.body.open()
    except OSError:
        raise not_found() from None
    wrapper = request.environ.get("wsgi.file_wrapper")
    if wrapper is not None and plan.status == 200:  # it sends to the end of the file
        return new_response(plan.status, headers, wrapper(file, CHUNK))
    return new_response(plan.status, headers, _Pieces(file, plan.body))


class _Pieces:
    """Slices of an open file as a WSGI body."""

    def __init__(self, file: BinaryIO, body: FileSlice | FileParts) -> None:
        self._file = file
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body.pieces(self._file)

    def close(self) -> None:
        self._file.close()
