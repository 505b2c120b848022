"""Building every static page of a site into a release that is not published yet."""

from __future__ import annotations

import contextvars
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final

from asok.errors import AsokError, FreezeError
from asok.pages.draft import ReleaseDraft
from asok.pages.options import PageOptions
from asok.pages.plan import Job, plan
from asok.pages.regenerate import Render
from asok.pages.report import Frozen, PageReport, Report
from asok.pages.route import Route
from asok.pages.router import Router
from asok.pages.share import build_all
from asok.pages.stored import StoredPage, why_not_stored

__all__ = ["Progress", "freeze"]

#: Called after each page with (pages done, pages in all, the page).
Progress = Callable[[int, int, PageReport], None]

#: A build stops after this many failing pages: enough to see what they have in common.
MAX_FAILURES: Final = 10


def freeze(
    router: Router,
    options: Callable[[Route], PageOptions],
    render: Render,
    draft: ReleaseDraft,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    after_fork: Callable[[], None] | None = None,
) -> Report:
    """Build every static page into `draft`; publishing it is the caller's.

    `workers` processes share the work; None lets the first pages' cost decide, 1 keeps
    everything here. `after_fork` is called in each process before its first page (to drop
    database connections). Raises `FreezeError` naming the failing pages' files.
    """
    started = time.perf_counter()
    jobs = plan(router, options)
    reports: dict[int, PageReport] = {}
    failures: list[Frozen] = []

    def done(frozen: Frozen) -> bool:
        report = reports[frozen.index] = _report(jobs[frozen.index], frozen)
        if frozen.record is not None:
            draft.add_record(frozen.record)
        else:
            failures.append(frozen)
        if progress is not None:
            progress(len(reports), len(jobs), report)
        return len(failures) < MAX_FAILURES

    def build(index: int) -> Frozen:
        return _build_page(index, jobs[index], render, draft)

    used = build_all(len(jobs), build, done, workers=workers, after_fork=after_fork)
    pages = tuple(sorted(reports.values(), key=lambda page: page.path))
    report = Report(pages, time.perf_counter() - started, used)
    if failures:
        raise _failed(jobs, failures, report)
    return report


def _build_page(index: int, job: Job, render: Render, draft: ReleaseDraft) -> Frozen:
    """Render and write one page; a failure is a result, for it may have to travel."""
    match, options, start = job.match, job.options, time.perf_counter()
    try:
        rendered = contextvars.Context().run(render, match)
        seconds = time.perf_counter() - start
        problem = why_not_stored(rendered)
        if problem is not None:
            return Frozen(index, seconds, error=f"it can't be stored: {problem}")
        page = StoredPage.make(
            rendered,
            path=match.path,
            pattern=match.route.pattern,
            params=match.params,
            # One time for the whole build: its pages are as old as what they read at least.
            rendered_at=draft.created,
            revalidate=options.revalidate,
            expire=options.expire,
            tags=options.tags,
        )
        return Frozen(index, seconds, page.holed.size, draft.write_page(page))
    except Exception as error:  # noqa: BLE001 - becomes the FreezeError of the build
        own = error if isinstance(error, AsokError) else None
        message = (
            f"{own.message} {own.fix or ''}".strip() if own else f"{type(error).__name__}: {error}"
        )
        return Frozen(
            index,
            time.perf_counter() - start,
            error=message,
            file=str(own.file) if own and own.file else None,
            line=own.line if own else None,
            trace="".join(traceback.format_exception(error)),
        )


def _report(job: Job, frozen: Frozen) -> PageReport:
    return PageReport(
        path=job.match.path,
        pattern=job.match.route.pattern,
        file=job.match.route.file,
        mode="isr" if job.options.revalidate is not None else "static",
        size=frozen.size,
        seconds=frozen.seconds,
        error=frozen.error,
    )


def _failed(jobs: Sequence[Job], failures: Sequence[Frozen], report: Report) -> FreezeError:
    """The error of a build: the first failing page's file, and the other pages by name."""
    failures = sorted(failures, key=lambda frozen: frozen.index)
    first, others = failures[0], failures[1:]
    route = jobs[first.index].match.route
    message = f"the page {jobs[first.index].match.path} of {route.file} failed: {first.error}"
    if others:
        message += f"\n{len(others)} more failed:"
        for frozen in others:
            message += f"\n  {jobs[frozen.index].match.path}: {frozen.error}"
    error = FreezeError(message, file=first.file or route.file, line=first.line, report=report)
    if first.trace:
        error.add_note(first.trace.rstrip())
    return error
