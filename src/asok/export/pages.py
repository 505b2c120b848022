"""Rendering the pages of an export: for nobody, with hashes in place of nonces."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from asok.asgi.page import Page
from asok.asgi.parts import Parts
from asok.asgi.static_pages import located, page_renderer
from asok.errors import AsokError, FreezeError
from asok.export.report import ExportReport
from asok.pages import Job, Match, PageOptions, Rendered, Route, StoredPage, plan, why_not_stored

__all__ = ["error_page", "static_pages"]

_MISSING = "There is no page of this address."


def hashed(parts: Parts) -> Parts:
    """Return `parts` whose pages allow their own inline scripts and styles by hash."""
    return replace(
        parts,
        csp="hash",
        pages={pattern: _hashed(page) for pattern, page in parts.pages.items()},
        error_pages={status: _hashed(page) for status, page in parts.error_pages.items()},
    )


def _hashed(page: Page) -> Page:
    return replace(page, options=replace(page.options, csp=None))


def static_pages(
    parts: Parts, report: ExportReport, *, progress: Callable[[int, int], None]
) -> dict[str, StoredPage]:
    """Return every page that a build would make and anybody may see, by path.

    What is left out is added to `report`. Raises `FreezeError` for a page that fails.
    """

    def options(route: Route) -> PageOptions:
        return parts.pages[route.pattern].options

    for route in parts.router.routes:
        _explain(parts.pages[route.pattern], report)
    jobs = [job for job in plan(parts.router, options) if _anybody(parts.pages, job)]
    render = located(page_renderer(hashed(parts)), parts.root)
    found: dict[str, StoredPage] = {}
    for done, job in enumerate(jobs, 1):
        page = _render(job, render, parts, report)
        if page is not None:
            found[page.path] = page
        progress(done, len(jobs))
    return found


def _anybody(pages: Mapping[str, Page], job: Job) -> bool:
    page = pages[job.match.route.pattern]
    return not page.guards and not page.middleware


def _explain(page: Page, report: ExportReport) -> None:
    """Say what a static host can't do of `page`."""
    pattern, options = page.route.pattern, page.options
    methods = [method for method in page.allow if method not in ("GET", "HEAD", "OPTIONS")]
    if not page.static:
        why = "it is made for each request; SSG = True makes it static"
        if "GET" not in page.allow:
            why = f"it answers {', '.join(methods)} only"
        report.lack("left out", pattern, "dynamic page", why)
        return
    if page.guards or page.middleware:
        what = "guarded page" if page.guards else "page with middleware"
        names = ", ".join(_name(one) for one in (*page.guards, *page.middleware))
        report.lack("left out", pattern, what, f"{names} must run for each visitor")
        return
    if options.revalidate is not None:
        report.lack("reduced", pattern, "regeneration", "it is a snapshot until the next export")
    if page.route.dynamic and options.fallback == "generate":
        report.lack(
            "reduced", pattern, "unlisted paths", "only what get_static_paths() lists is there"
        )
    if options.query:
        names = ", ".join(options.query.names)
        report.lack("reduced", pattern, "query", f"only the page without {names} is there")
    if methods and "any" not in page.handlers:
        report.lack("reduced", pattern, "handlers", f"{', '.join(methods)} needs a server")


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _render(
    job: Job, render: Callable[[Match], Rendered], parts: Parts, report: ExportReport
) -> StoredPage | None:
    match, now = job.match, time.time()
    try:
        rendered = contextvars.Context().run(render, match)
    except AsokError as error:
        # A nonce in a place that no hash can take: is the page right with a nonce?
        if parts.csp == "hash" or job.options.csp == "hash":
            raise
        contextvars.Context().run(located(page_renderer(parts), parts.root), match)
        report.lack("left out", match.path, "nonce", error.message)
        return None
    problem = why_not_stored(rendered)
    if problem is not None:
        raise FreezeError(
            f"the page {match.path} can't be exported: {problem}.", file=match.route.file
        )
    return StoredPage.make(
        rendered,
        path=match.path,
        pattern=match.route.pattern,
        params=match.params,
        rendered_at=now,
    )


def error_page(parts: Parts, status: int) -> StoredPage | None:
    """Return the site's page for `status`, None where it has none."""
    page = parts.error_pages.get(status)
    handler = page.handler("GET") if page is not None else None
    if page is None or handler is None:
        return None

    def get(request: Any) -> Any:
        request.state.update(status=status, message=_MISSING)
        return handler(request)

    whole = hashed(parts)
    path = f"/{status}"
    error = replace(page, handlers={"get": get}, options=replace(page.options, csp=None))
    whole.pages = {**whole.pages, page.route.pattern: error}
    render = located(page_renderer(whole), parts.root)
    rendered = contextvars.Context().run(render, Match(page.route, {}, path))
    return StoredPage.make(
        rendered, path=path, pattern=page.route.pattern, params={}, rendered_at=time.time()
    )
