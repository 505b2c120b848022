"""Building every static page of a site: what `asok build` and `Asok.freeze` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from asok import models
from asok.asgi.parts import Parts
from asok.asgi.static_pages import located, page_renderer
from asok.pages import (
    PageOptions,
    Progress,
    Release,
    ReleaseDraft,
    Report,
    Route,
    freeze,
)

__all__ = ["Check", "build_pages"]

#: Looks at the finished pages before they are published. Raises `FreezeError` to fail the
#: build; may add files to the draft. `draft.records` and `draft.body` hold every page.
Check = Callable[[ReleaseDraft, Report], None]


def build_pages(
    parts: Parts,
    options: Callable[[Route], PageOptions],
    *,
    folder: Path,
    fingerprint: str,
    progress: Progress | None = None,
    workers: int | None = None,
    checks: Sequence[Check] = (),
) -> tuple[Report, Release]:
    """Build every static page into a new release in `folder` and publish it.

    `fingerprint` stands for the code that renders. `checks` are called in order once every
    page is rendered. Raises `FreezeError` for a page that fails, and what a check raises;
    the previous release then stays.
    """
    with ReleaseDraft(folder, fingerprint=fingerprint) as draft:
        report = freeze(
            parts.router,
            options,
            located(page_renderer(parts), parts.root),
            draft,
            progress=progress,
            workers=workers,
            after_fork=_forget_connections,
        )
        for check in checks:
            check(draft, report)
        return report, draft.publish()


def _forget_connections() -> None:
    """A forked build process must not share its parent's database connections."""
    models.configured_database().engine.dispose(close=False)
