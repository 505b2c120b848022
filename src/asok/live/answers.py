"""What a joined component does when its turn in the queue comes, and what its browser is told.

This is the boundary at which a component's errors end: it says so, and the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asok.errors import CallRefused, StateRefused
from asok.live import frames
from asok.live.broadcasting import Event
from asok.live.frames import Call
from asok.live.member import Job, Member, Prepared
from asok.live.place import Effect
from asok.live.runner import Runner
from asok.live.screen import Screen
from asok.live.turn import Outcome
from asok.live.work import REFRESH, CallWork, EventsWork

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Admit", "Answers"]

log = logging.getLogger("asok.live")

#: Whether this conversation's visitor may see the page of that path.
Admit = Callable[[str], Awaitable[bool]]
#: Components that an event may come through before it counts as going in circles.
_MOST_HOPS: Final = 8


class Answers:
    """Answers the jobs of one conversation's components.

    `members` are all of them; `leave(n)` is called where one can't go on; `push(n, event)` hands
    one an event.
    """

    def __init__(
        self,
        live: Live,
        screen: Screen,
        owner: str,
        *,
        admit: Admit | None,
        members: Mapping[int, Member],
        leave: Callable[[int], None],
        push: Callable[[int, Event], None],
    ) -> None:
        self._live = live
        self._screen = screen
        self._owner = owner
        self._admit = admit
        self._members = members
        self._leave = leave
        self._push = push
        self._runner = Runner(live, partial(_show_partly, screen))

    async def answer(self, member: Member, job: Job) -> None:
        """Answer one job, whatever comes of it."""
        method = job.call.method if job.call else "broadcast" if job.events else "join"
        try:
            await self._permit(member)
            if job.events:
                await self._take(member, job.events)
            elif job.call is not None:
                await self._run(member, job.call)
            elif job.seq:
                raise CallRefused("too many calls wait for their turn.", code="busy")
            else:
                await self._welcome(member, job.shown)
        except StateRefused as error:
            log.info("%s", error, extra=self.record(member, method))
            if not member.left:
                self._leave(member.n)
                await self._screen.send(frames.reload(error.reason))
        except CallRefused as error:
            # The author's own mistake, where it names a place: shown like one that was raised.
            shown = error if self._live.show_errors and error.file else None
            log.log(
                logging.ERROR if shown else logging.WARNING,
                "%s.%s was refused%s",
                member.payload.name,
                method,
                "" if shown else f": {error}",
                exc_info=shown,
                extra=self.record(member, method),
            )
            await self._failed(member, job, error.code, error)
        except Exception as error:
            # The author's code failed: this component says so, the others go on.
            log.exception(
                "%s.%s failed in the session of %s",
                member.payload.name,
                method,
                self._owner[:8],
                extra=self.record(member, method),
            )
            await self._failed(member, job, frames.CALL_FAILED, error)

    async def _permit(self, member: Member) -> None:
        """Ask the guards of the page again: a role may have been revoked since."""
        page = member.payload.page
        if page and self._admit is not None and not await self._admit(page):
            raise StateRefused(f"this visitor may not see {page} any more.", reason="guard")

    async def _failed(self, member: Member, job: Job, code: str, error: Exception) -> None:
        if member.left:
            return
        if member.shows_partly:
            # What a generator showed before it failed is not so.
            member.shows_partly = False
            try:
                version, html = await self._runner.off(member, member.shown)
                await self._screen.show(member.n, version, html, 0)
            except Exception:
                log.exception("%s can't be shown as it was", member.payload.name)
        await self._screen.fail(member.n, job.seq, code, error)

    async def _welcome(self, member: Member, shown: float | None) -> None:
        version, html = await self._runner.off(member, lambda: member.joined(shown))
        if member.left:
            return
        if html is None:
            await self._screen.send(frames.same(member.n, version, 0))
        else:
            await self._screen.fill(member.n, version, html)
        if member.deaf_since is not None:
            # It listens by now, so nothing is lost between the two.
            for event in self._live.broadcasts.recent.since(member.deaf_since, member.topics):
                self._push(member.n, event)
        # Since a call of another component may end before this join, it counts as having listened.
        early, member.early = member.early, None
        for event in early or ():
            if event.topic in member.topics:
                self._push(member.n, event)

    async def _run(self, member: Member, call: Call) -> None:
        if call.method == REFRESH:
            await self._show_anew(member, call.seq)
            return
        work = CallWork(member.definition, call, member.tab)
        result = await self._runner.run(member, work)
        member.shows_partly = False
        if isinstance(result, Outcome):
            await self._show(member, result, call.seq, hops=0)
        elif result.verdict == "unknown":
            raise CallRefused("the worker that ran this call has died.", code="unknown")
        else:
            await self._answered(member, result, call.seq)

    async def _show_anew(self, member: Member, seq: int, event: Event | None = None) -> None:
        """Show what there is now: the state is the same, what its template reads may not be."""
        memo = event.memo if event else None
        version, html = await self._runner.off(member, lambda: member.shown(memo))
        if not member.left and (seq or not self._screen.is_as(member.n, version, html)):
            await self._screen.show(member.n, version, html, seq)

    async def _take(self, member: Member, events: list[Event]) -> None:
        """Let a component take events, with one render for all of them."""
        latest = events[-1]
        if not member.definition.listeners.methods or not any(event.topic for event in events):
            await self._show_anew(member, 0, latest)
            return
        work = EventsWork(member.definition, events)
        result = await self._runner.run(member, work, latest.memo)
        if isinstance(result, Outcome):
            await self._show(member, result, 0, hops=work.hops)
        else:
            await self._answered(member, result, 0)

    async def _show(self, member: Member, outcome: Outcome, seq: int, *, hops: int) -> None:
        if not member.left:
            await self._screen.show(member.n, outcome.version, outcome.html, seq)
        for effect in outcome.effects:
            await self._effect(member, effect, hops)

    async def _effect(self, member: Member, effect: Effect, hops: int) -> None:
        kind, name, detail = effect
        if kind == "emit":
            if hops >= _MOST_HOPS:
                log.error("%r goes in circles between components; it ends here", name)
                return
            event = self._live.broadcasts.event(name, detail, hops=hops + 1)
            for other in list(self._members.values()):
                if other is member:
                    continue
                if event.topic in other.topics:
                    self._push(other.n, event)
                elif other.early is not None:
                    other.early.append(event)
        elif member.left:
            return
        elif kind == "dispatch":
            await self._screen.send(frames.dispatched(member.n, name, detail))
        else:
            mount = self._live.mount if name.startswith("/") else ""
            await self._screen.send(frames.go(member.n, mount + name))

    async def _answered(self, member: Member, prepared: Prepared, seq: int) -> None:
        """Answer a call that was made before: with what there is now."""
        version = prepared.at.version
        if self._screen.shows(member.n, version):
            if seq:
                await self._screen.send(frames.same(member.n, version, seq))
        else:
            html = await self._runner.off(member, lambda: member.html(prepared.at))
            if not member.left:
                await self._screen.show(member.n, version, html, seq)

    async def unmount(self, member: Member) -> None:
        """Tell a component that its browser has left."""
        try:
            await self._live.run_sync(member.unmount)
        except StateRefused as error:
            log.debug("%s", error, extra=self.record(member, "unmount"))
        except Exception:
            log.exception(
                "%s.unmount failed", member.payload.name, extra=self.record(member, "unmount")
            )

    def record(self, member: Member | None = None, method: str = "join") -> dict[str, Any]:
        """The fields of a log record; `session` stands for the session and is not its id."""
        name = member.payload.name if member else None
        return {"component": name, "method": method, "session": self._owner}


async def _show_partly(screen: Screen, member: Member, version: float, html: str) -> None:
    if not member.left:
        member.shows_partly = True
        await screen.show(member.n, version, html, 0)
