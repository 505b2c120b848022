"""Making one page: render it, store it, or write down why not.

The decisions are made in decision.py. The leader of a miss holds the store's lease while it
renders; whoever waited for the lease finds the page stored, or its failure noted. Whoever
waited too long renders for itself: a hung render must not hang everybody, and what it gives
in the end is not stored over the page of a later one.

A render that was overtaken by an invalidation is neither stored nor believed when it fails
or answers 404; it is done again.
"""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Callable
from typing import Final

from asok.pages.decision import Action, Decision, State, decide
from asok.pages.gone import GoneMemory
from asok.pages.listing import Listing
from asok.pages.note import Note
from asok.pages.options import PageOptions
from asok.pages.route import Match
from asok.pages.served import Render, Served
from asok.pages.store import PageStore, Ticket
from asok.pages.stored import Rendered, StoredPage, why_not_stored
from asok.pages.tags import path_tag, route_tag

__all__ = ["Maker"]

log = logging.getLogger("asok.pages")

_GONE: Final = frozenset({404, 410})
#: How often a render is done again because invalidations overtook it.
_ATTEMPTS: Final = 3


class _RenderFailed(Exception):
    """A render ended without a page to store; the message says why."""


class Maker:
    """Looks pages of `store` up and makes them with `render`; every method may block.

    `clock` gives seconds since the epoch; `gone` remembers paths that answered 404.
    """

    def __init__(
        self, store: PageStore, render: Render, *, clock: Callable[[], float], gone: GoneMemory
    ) -> None:
        self.store = store
        self.listing = Listing(store)
        self._render = render
        self._clock = clock
        self._gone = gone

    def look(self, match: Match, options: PageOptions) -> tuple[StoredPage | None, Decision]:
        """Return the stored page and what to do about it; never blocks for long."""
        page, _, decision = self._look(match, options)
        return page, decision

    def _look(self, match: Match, options: PageOptions) -> tuple[StoredPage | None, Note, Decision]:
        page, note = self.store.look(match.key)
        if page is not None and page.pattern != match.route.pattern:
            page = None  # stored by earlier code, in which another page answered this path
        if (page is None or not page.listed) and self.listing.refuses(match, options):
            return None, note, Decision(State.MISS, Action.NOT_FOUND, _NOT_LISTED)
        gone = None if page is not None else self._gone_until(match, note)
        return page, note, decide(page, self._clock(), note=note, gone_until=gone)

    def _gone_until(self, match: Match, note: Note) -> float | None:
        """Until when a 404 is believed: no longer than the next invalidation by any worker."""
        gone = self._gone.get(match.key)
        if gone is None or gone.ticket.generation != note.generation:
            return None
        if self._tags_overtook(match, gone.ticket, gone.tags):
            return None
        # A clock that goes back must not make it longer than it is meant to be.
        return gone.until if gone.until - self._clock() <= self._gone.seconds else None

    def make(self, match: Match, options: PageOptions, deadline: float) -> Served:
        """Render a missing or expired page, unless somebody else did while we waited.

        `deadline` (by `time.monotonic`) is how long to wait for others. Raises what the
        render raises.
        """
        asked = self._clock()
        with self.store.lease(match.key, max(deadline - time.monotonic(), 0.0)):
            page, note, decision = self._look(match, options)
            if decision.action in (Action.SERVE, Action.REFRESH):
                cache = "HIT" if decision.state is State.FRESH else "STALE"
                return Served(cache, decision, page, collapsed=True)
            if decision.action is Action.NOT_FOUND:
                return Served("MISS", decision, collapsed=True)
            if page is None and self.listing.ask(match, options):
                return Served("MISS", Decision(State.MISS, Action.NOT_FOUND, _NOT_LISTED))
            if page is None and note.failures and note.at > asked:
                # Failed while we waited. Another try now, by each who waited, helps nobody.
                raise _RenderFailed(f"the render that this request waited for failed: {note.error}")
            try:
                return self._render_and_store(match, options, decision, page)
            except Exception as error:
                if page is None:
                    if self.listing.bounded(match):
                        self._note(match.key, options.revalidate, error)
                    raise
                # Expired, but better than an error page (RFC 5861, stale-if-error).
                self._failed(page, error)
                return Served("STALE", self._look(match, options)[2], page)

    def refresh(self, match: Match, options: PageOptions) -> None:
        """Regenerate a stale page, unless another process is at it."""
        with self.store.lease(match.key, 0.0) as held:
            page, _, decision = self._look(match, options)
            # Read again under the lease: others may have renewed it, or failed shortly ago.
            if not held or page is None or decision.action is not Action.REFRESH:
                return
            try:
                self._render_and_store(match, options, decision, page)
            except Exception as error:  # noqa: BLE001 - written down and logged; the page stays
                self._failed(page, error)

    def _render_and_store(
        self, match: Match, options: PageOptions, decision: Decision, old: StoredPage | None
    ) -> Served:
        """Render until no invalidation came in between.

        Raises what the render raises, and `_RenderFailed` where `old` would be replaced by
        something that can't be stored.
        """
        rendered = None
        for attempt in range(_ATTEMPTS):
            ticket = self.store.begin(match.key)
            began = self._clock()
            try:
                # An empty context: nothing of the visitor who triggers this can be read.
                rendered = contextvars.Context().run(self._render, match)
            except Exception:
                newer = self._newer(match, options, ticket)
                if newer is not None:
                    return newer
                if attempt < _ATTEMPTS - 1 and self._overtaken(match, ticket, options.tags):
                    continue
                raise
            newer = self._newer(match, options, ticket)
            if newer is not None:
                return newer
            tags = (*options.tags, *rendered.tags)
            if rendered.status in _GONE:
                if self._overtaken(match, ticket, tags):
                    continue
                self._gone.add(match.key, began, ticket, tags)
                if old is not None:
                    self.store.remove(match.key, began)
                return Served("MISS", decision, rendered=rendered)
            problem = why_not_stored(rendered)
            if problem is not None:
                if old is not None:
                    raise _RenderFailed(problem)
                return Served("MISS", decision, rendered=rendered)
            fresh = self._page(match, options, rendered, began, ticket)
            if self.store.put(fresh, ticket=ticket):
                return Served("MISS", decision, fresh)
        log.warning(
            "%s was invalidated during each of %d renders, so it is not stored; does it write "
            "what it shows, as a counter of views does? Leave that to a component or an API page.",
            match.path,
            _ATTEMPTS,
        )
        return Served("MISS", decision, rendered=rendered)

    def _page(
        self, match: Match, options: PageOptions, rendered: Rendered, began: float, ticket: Ticket
    ) -> StoredPage:
        return StoredPage.make(
            rendered,
            path=match.key,
            pattern=match.route.pattern,
            params=match.params,
            rendered_at=began,
            revalidate=options.revalidate,
            expire=options.expire,
            tags=options.tags,
            listed=self.listing.bounded(match),
            moment=ticket.moment,
        )

    def _newer(self, match: Match, options: PageOptions, ticket: Ticket) -> Served | None:
        """The page that somebody who began later has stored meanwhile: this render hung."""
        page, _, decision = self._look(match, options)
        if page is None or decision.state is not State.FRESH or page.moment <= ticket.moment:
            return None
        return Served("HIT", decision, page, collapsed=True) if ticket.moment else None

    def _overtaken(self, match: Match, ticket: Ticket, tags: tuple[str, ...]) -> bool:
        """Whether what the render of `ticket` read was invalidated since."""
        if self.store.begin(match.key).generation != ticket.generation:
            return True
        return self._tags_overtook(match, ticket, tags)

    def _tags_overtook(self, match: Match, ticket: Ticket, tags: tuple[str, ...]) -> bool:
        every = (*tags, path_tag(match.path), route_tag(match.route.pattern))
        return self.store.tag_moment(*every) >= ticket.moment > 0

    def _failed(self, page: StoredPage, error: Exception) -> None:
        note = self._note(page.path, page.revalidate, error)
        log.warning(
            "regenerating %s failed (%d in a row), the last good page stays; next try in %.0f s",
            page.path,
            note.failures,
            note.retry_at - self._clock(),
            exc_info=None if isinstance(error, _RenderFailed) else error,
        )

    def _note(self, key: str, revalidate: float | None, error: Exception) -> Note:
        text = (
            str(error) if isinstance(error, _RenderFailed) else f"{type(error).__name__}: {error}"
        )
        return self.store.fail(key, self._clock(), revalidate=revalidate, error=text)


_NOT_LISTED: Final = 'not listed, and FALLBACK is "404"'
