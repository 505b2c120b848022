"""Building every static page of a site: what `asok build` and `Asok.freeze` do.

Pages of the last build are taken over where they would come out the same (see
`pages/earlier.py`). What a page is made from is only known where `dependencies.watch` was
on when the site was imported, as `asok build` has it; elsewhere every page is rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from asok import dependencies
from asok.asgi.parts import Parts
from asok.asgi.static_pages import located, page_renderer
from asok.grounds import grounds
from asok.jinja import Templates
from asok.pages import (
    DiskStore,
    PageOptions,
    Progress,
    Release,
    ReleaseDraft,
    Report,
    Route,
    freeze,
)
from asok.pages.earlier import Earlier, Site
from asok.pages.traces import Tracing
from asok.settings import Settings

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
    settings: Settings,
    templates: Templates,
    asset: Callable[[str], str],
    store: DiskStore | None,
    components: bool = True,
    full: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    checks: Sequence[Check] = (),
) -> tuple[Report, Release]:
    """Build every static page into a new release in `folder` and publish it.

    `fingerprint` stands for the code that renders. `asset` gives an asset's URL, `store` knows
    which tags were invalidated (None where nothing is stored); `components` tells whether
    the site has any. With `full` nothing is taken over from the last build. `checks` are
    called in order once every page is there. Raises `FreezeError` for a page that fails, and
    what a check raises; the previous release then stays.
    """
    with ExitStack() as stack:
        draft = stack.enter_context(ReleaseDraft(folder, fingerprint=fingerprint))
        earlier: Earlier | str = "all of it was asked for" if full else "its making was not watched"
        tracing: Tracing | None = None
        if dependencies.current is not None:
            files = {route.pattern: route.module for route in parts.router.routes}
            common, modules = grounds(settings, files)
            tracing = Tracing(parts.root, grounds=common, modules=modules)
            site = Site(
                root=parts.root,
                grounds=common,
                modules=modules,
                find=templates.find,
                asset=asset,
                tag_moment=(lambda *_: 0.0) if store is None else store.tag_moment,
                components=components,
            )
            if not full:
                known = None if store is None else store.release
                earlier = Earlier.open(folder, site, now=draft.created, known=known)
        report = freeze(
            parts.router,
            options,
            located(page_renderer(parts), parts.root),
            draft,
            progress=progress,
            workers=workers,
            earlier=earlier,
            tracing=tracing,
        )
        for check in checks:
            check(draft, report)
        return report, draft.publish()
