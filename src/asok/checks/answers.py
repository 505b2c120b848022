"""What a site would answer to the path of a link, without a server and without a visitor."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Final

from asok.asgi.front import Files
from asok.asgi.page import Page
from asok.assets import Header
from asok.errors import AsokError
from asok.pages import Match, Rendered, Router
from asok.pages.links import Answer, nearest
from asok.pages.stored import Record

__all__ = ["SiteAnswers"]

_REDIRECTS: Final = frozenset({301, 308})
#: So many pages that nobody listed are rendered to see whether they are there.
_MOST_TRIED: Final = 1000
_NOTHING: Final[Sequence[Header]] = ()


class SiteAnswers:
    """Callable as `links.Ask`: (decoded path below the mount, method) -> answer.

    `records` are the built pages, `files` what is served under prefixes, `served` further
    paths that are answered, `assets` the names of all assets. `render` renders a static page
    that was not built, to see whether it is there.
    """

    def __init__(
        self,
        router: Router,
        pages: Mapping[str, Page],
        records: Mapping[str, Record],
        *,
        files: Sequence[Files] = (),
        served: Collection[str] = (),
        assets: Collection[str] = (),
        render: Callable[[Match], Rendered] | None = None,
    ) -> None:
        self._router = router
        self._pages = pages
        self._records = records
        self._files = files
        self._served = served
        self._assets = assets
        self._render = render
        self._tried = 0

    def __call__(self, path: str, method: str) -> Answer:
        """Return what `method` of `path` is answered with."""
        record = self._records.get(path)
        if record is not None and method == "GET":
            if record.status in _REDIRECTS:
                return Answer(redirect=dict(record.headers).get("location", "elsewhere"))
            return Answer(page=path if _is_html(record) else "")
        if path in self._served:
            return Answer()
        for files in self._files:
            if path.startswith(f"{files.prefix}/"):
                plan = files.plan("GET", path, "", _NOTHING)
                if plan is not None:
                    return Answer() if plan.status == 200 else self._no_asset(files, path)
        match = self._router.match(path)
        if match is not None:
            return self._page(match, method)
        redirect = self._router.redirect(path)
        return Answer(redirect=redirect) if redirect else self._nothing(path)

    def _page(self, match: Match, method: str) -> Answer:
        page = self._pages[match.route.pattern]
        if page.handler(method) is None:
            allowed = ", ".join(one for one in page.allow if one != "OPTIONS")
            return Answer(f"{match.route.pattern} answers {allowed}, not {method}")
        if not page.static or method != "GET":
            return Answer()
        pattern = match.route.pattern
        if page.options.fallback == "404":
            return Answer(
                f'get_static_paths() of {pattern} does not list it, and FALLBACK is "404"',
                self._meant(match.path),
            )
        return self._tried_page(match)

    def _tried_page(self, match: Match) -> Answer:
        """A page that is made when it is first asked for: make it, and look."""
        if self._render is None or self._tried >= _MOST_TRIED:
            return Answer(lasting=False)
        self._tried += 1
        pattern = match.route.pattern
        try:
            rendered = contextvars.Context().run(self._render, match)
        except Exception as error:  # noqa: BLE001 - becomes the answer about this link
            text = error.message if isinstance(error, AsokError) else str(error)
            return Answer(f"{pattern} fails for it: {type(error).__name__}: {text}")
        if rendered.status in _REDIRECTS:
            headers = {name.lower(): value for name, value in rendered.headers}
            return Answer(redirect=headers.get("location", "elsewhere"))
        if rendered.status >= 400:
            return Answer(f"{pattern} answers it with {rendered.status}", self._meant(match.path))
        return Answer(lasting=False)

    def _no_asset(self, files: Files, path: str) -> Answer:
        begin = f"{files.prefix}/"
        near = nearest(path[len(begin) :], sorted(self._assets))
        fix = f"Did you mean {{{{ static('{near}') }}}}?" if near else ""
        return Answer("there is no such file among the assets", fix)

    def _nothing(self, path: str) -> Answer:
        if path[1:] in self._assets:
            return Answer(
                "no page answers it; there is an asset of that name",
                f"Write {{{{ static('{path[1:]}') }}}}.",
            )
        return Answer("no page answers it", self._meant(path))

    def _meant(self, path: str) -> str:
        near = nearest(path, self._paths)
        return f"Did you mean {near}?" if near else ""

    @cached_property
    def _paths(self) -> list[str]:
        routes = self._router.routes
        plain = [self._router.path(route, {}) for route in routes if not route.dynamic]
        return sorted({*(path for path in self._records if "\0" not in path), *plain})


def _is_html(record: Record) -> bool:
    media = dict(record.headers).get("content-type", "text/html")
    return media.startswith("text/html")
