"""Building every static page of a site into a release that is not published yet."""

from __future__ import annotations

import contextvars
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Final

import msgspec

from asok.dependencies import Seen, noting
from asok.errors import AsokError, FreezeError
from asok.pages.draft import ReleaseDraft
from asok.pages.earlier import Earlier
from asok.pages.options import PageOptions
from asok.pages.plan import Job, plan
from asok.pages.regenerate import Render
from asok.pages.report import Frozen, PageReport, Report
from asok.pages.route import Route
from asok.pages.router import Router
from asok.pages.share import build_all
from asok.pages.stored import StoredPage, why_not_stored
from asok.pages.traces import FILE_NAME, Trace, Tracing

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
    earlier: Earlier | str = "every page is rendered",
    tracing: Tracing | None = None,
) -> Report:
    """Build every static page into `draft`; publishing it is the caller's.

    `workers` processes share the work; None lets the first pages' cost decide, 1 keeps
    everything here. `after_fork` is called in each process before its first page (to drop
    what may not be shared). Pages that `earlier` still has are taken over from it; a text
    says why none is. With `tracing` the next build can take over these. Raises `FreezeError`
    naming the failing pages' files.
    """
    started = time.perf_counter()
    with nullcontext() if tracing is None else tracing.planning():
        jobs = plan(router, options)
    build = _Build(jobs, render, draft, earlier, tracing, progress)
    build.take_over()
    used = build_all(
        len(build.wanted),
        build.page,
        build.done,
        workers=workers,
        after_fork=after_fork,
        finish=build.finish,
    )
    return build.end(time.perf_counter() - started, used)


class _Build:
    """The pages of one build: those taken over, and those `wanted` anew, by index, with why."""

    def __init__(
        self,
        jobs: Sequence[Job],
        render: Render,
        draft: ReleaseDraft,
        earlier: Earlier | str,
        tracing: Tracing | None,
        progress: Progress | None,
    ) -> None:
        self._jobs = jobs
        self._render = render
        self._draft = draft
        self._earlier = earlier if isinstance(earlier, Earlier) else None
        self._full = earlier if isinstance(earlier, str) else None
        self._tracing = tracing
        self._progress = progress
        self._reports: list[PageReport] = []
        self._failures: list[Frozen] = []
        self._kept = self._opened = False
        self.wanted: list[tuple[int, str]] = []

    def take_over(self) -> None:
        """Take what `earlier` still has, and want the rest."""
        for index, job in enumerate(self._jobs):
            reason = self._full if self._earlier is None else self._take(self._earlier, job)
            if reason is not None:
                self.wanted.append((index, reason))

    def _take(self, earlier: Earlier, job: Job) -> str | None:
        """Take one page over, or say why not."""
        reason = earlier.why(job)
        if reason is not None:
            return reason
        taken = earlier.take(job, self._draft)
        if taken is None:
            return "its stored body is damaged"
        record, trace, size = taken
        if self._tracing is not None:
            self._tracing.add(record, trace, size)
        self._tell(_report(job, None, size))
        return None

    def page(self, number: int) -> Frozen:
        """Render a wanted page, in whatever process this is."""
        job = self._jobs[self.wanted[number][0]]
        if self._tracing is None:
            return _build_page(number, job, self._render, self._draft)
        with noting(Seen()) as seen:
            frozen = _build_page(number, job, self._render, self._draft)
        return msgspec.structs.replace(frozen, trace=Trace.of(seen), opened=seen.open)

    def finish(self, built: list[Frozen]) -> list[Frozen]:
        """Say with the last of what another process built whether its modules kept anything."""
        if self._tracing is not None and built and self._tracing.changed():
            built[-1] = msgspec.structs.replace(built[-1], kept=True)
        return built

    def done(self, frozen: Frozen) -> bool:
        """Note what became of a wanted page; False where enough have failed."""
        index, reason = self.wanted[frozen.index]
        self._kept, self._opened = self._kept or frozen.kept, self._opened or frozen.opened
        if frozen.record is None:
            self._failures.append(frozen)
        else:
            self._draft.add_record(frozen.record)
            if self._tracing is not None and frozen.trace is not None:
                self._tracing.add(frozen.record, frozen.trace, frozen.size)
        self._tell(_report(self._jobs[index], reason, frozen.size, frozen.seconds, frozen.error))
        return len(self._failures) < MAX_FAILURES

    def _tell(self, report: PageReport) -> None:
        self._reports.append(report)
        if self._progress is not None:
            self._progress(len(self._reports), len(self._jobs), report)

    def end(self, seconds: float, workers: int) -> Report:
        """Write down what the pages were made from. Raises `FreezeError` where some failed."""
        pages = tuple(sorted(self._reports, key=lambda page: page.path))
        report = Report(pages, seconds, workers, self._full)
        if self._failures:
            raise _failed([self._jobs[at] for at, _ in self.wanted], self._failures, report)
        if self._tracing is not None:
            last = None if self._earlier is None else self._earlier.traces
            kept = self._kept or self._tracing.changed()
            self._tracing.share(last, kept=kept, opened=self._opened)
            self._draft.add_file(FILE_NAME, self._tracing.encode())
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
            stack="".join(traceback.format_exception(error)),
        )


def _report(
    job: Job, reason: str | None, size: int = 0, seconds: float = 0.0, error: str | None = None
) -> PageReport:
    return PageReport(
        path=job.match.path,
        pattern=job.match.route.pattern,
        file=job.match.route.file,
        mode="isr" if job.options.revalidate is not None else "static",
        size=size,
        seconds=seconds,
        error=error,
        reason=reason,
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
    if first.stack:
        error.add_note(first.stack.rstrip())
    return error
