"""A component that was joined on a socket: what it is, and the steps of its calls.

Nothing here waits: `conversation.py` decides what runs in a thread and what on the loop.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from asok import holes
from asok.errors import ComponentError, StateError, StateRefused
from asok.live import ledger
from asok.live.broadcasting import Event
from asok.live.component import Component
from asok.live.frames import Call, Join
from asok.live.memo import Memo
from asok.live.place import Place, values_of
from asok.live.records import is_gone
from asok.live.registry import Definition
from asok.live.rendered import render
from asok.live.scope import Visit
from asok.live.slot import fill
from asok.live.store import LiveStore
from asok.live.token import Joined, Payload, digest
from asok.live.turn import Outcome, Turn
from asok.live.work import Work

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Job", "Member", "Prepared"]


class Prepared(msgspec.Struct, frozen=True):
    """A call that may run: `component` is the instance as it is now; None where it does not
    run, and then `at` says what there is."""

    verdict: ledger.Verdict
    at: ledger.Standing
    component: Component | None


class Job(msgspec.Struct, frozen=True):
    """Something a component has to answer in its turn: a call, events, or (`seq` 0) a join."""

    seq: int
    call: Call | None = None
    shown: float | None = None
    events: list[Event] | None = None


class Member:
    """One joined component of one conversation."""

    def __init__(
        self, live: Live, join: Join, payload: Payload, *, session_id: str, owner: str,
        secrets: holes.Secrets,
    ) -> None:  # fmt: skip
        self.live = live
        self.n = join.n
        self.tab = join.tab
        self.token = join.token
        self.payload = payload
        self.owner = owner
        self.definition: Definition = live.registry.get(payload.name)
        self.jobs: deque[Job] = deque()
        self.working = False
        self.left = False
        self.seen = 0
        #: Whether the browser shows what a method that did not end well had rendered.
        self.shows_partly = False
        #: When it was last told of events, on the loop's clock, and whether it waits to be.
        self.pushed = float("-inf")
        self.waiting: list[Event] = []
        self.topics: frozenset[str] = frozenset()
        #: What others emitted before it was known what it listens to; None: that is known.
        self.early: deque[Event] | None = deque(maxlen=live.limits.queued_events)
        #: Since when it may have missed events, known once it has joined; None: it has none.
        self.deaf_since: float | None = None
        #: Told the topics that the component listens to.
        self.listen: Callable[[set[str]], None] = lambda _: None
        self._session_id = session_id
        self._secrets = secrets
        self._props = digest(payload.props)
        with holes.use(secrets):
            self._slot = fill(payload.slot)

    def __repr__(self) -> str:
        return f"<Member {self.n}: {self.payload.name} {self.payload.cid}>"

    def leave(self) -> None:
        """The browser shows it no more: nothing waits for it, and nobody is told for it."""
        self.left = True
        self.listen = lambda _: None
        self.jobs.clear()

    @property
    def cid(self) -> str:
        """The component's identity."""
        return self.payload.cid

    @property
    def on_loop(self) -> bool:
        """Whether taking it up and showing it may run on the event loop: `mount` may block."""
        return self.definition.on_loop and (self.seen > 0 or not self.definition.mounts)

    @property
    def heard_emitted(self) -> bool:
        """Whether something waits for it that was emitted in its own page."""
        return any(event.hops for event in self.waiting)

    @property
    def _store(self) -> LiveStore:
        return self.live.store

    def stand(self) -> ledger.Standing:
        """Read what is stored. Raises `StateRefused`."""
        row = self._store.load(self.owner, self.cid)
        if row is None and isinstance(self.payload, Joined) and self._store.ended(self.owner):
            # Its page holds a state of its own, which would be shown to whoever kept the cookie.
            raise StateRefused("the component's session was ended.", reason="session")
        at = ledger.standing(
            row,
            self.payload,
            schema=self.definition.schema.version,
            props=self._props,
            owner=self.owner,
            seen=self.seen,
            now=self.live.clock(),
            seconds=self.live.limits.state_seconds,
        )
        if at.fits:
            self.seen = max(self.seen, at.version)
        return at

    def place(self) -> Place:
        """Return the surroundings of a new instance."""
        # Components inside this one are rendered as on a page for everybody: their tokens
        # stay the same from render to render, and joining finds what is stored for them.
        visit = Visit(self._session_id, frozen=False, inner=True, origin=self.payload.page)
        place = self.live.place(self.definition, self.cid, visit, self._slot)
        place.listen = self.listen
        return place

    def instance(self, place: Place, at: ledger.Standing) -> Component:
        """Return the instance as it stands. Raises `StateRefused` where the class has changed
        so that it can't be made from what the page says, or its guard refuses the visitor."""
        try:
            if at.state is not None:
                component = place.rebuild(at.state)
            else:
                component = place.make(values_of(self.definition, self.payload.props))
        except (StateError, ComponentError) as error:
            reason = "record" if is_gone(error) else "schema"
            raise StateRefused(str(error), reason=reason) from error
        if at.state is not None:
            component.hydrate()
        else:
            component.mount()
        place.permit(component)
        return component

    # The steps of a join.

    def joined(self, shown: float | None) -> tuple[float, str | None]:
        """Return the version that there is, and the HTML unless the page shows it already."""
        at = self.stand()
        version = at.version
        if self.definition.listeners.methods:
            self.deaf_since = self._deaf_since(at)
        if self.definition.listeners.any or self.definition.guarded:
            # What it missed meanwhile is not known: it is shown anew.
            return self._at_least(shown, version), self.html(at)
        if shown is None and not self.payload.blank:
            page = self.payload.version if isinstance(self.payload, Joined) else 0
            if not at.fits or version == page:
                return version, None
        elif shown == version:
            return version, None
        return self._at_least(shown, version), self.html(at)

    def _deaf_since(self, at: ledger.Standing) -> float | None:
        """What mounts now begins now; what was rendered into a page began with it."""
        if at.fits and at.row is not None:
            return ledger.heard_at(at.row)
        return self.payload.issued if isinstance(self.payload, Joined) else None

    def _heard(self, now: float) -> float | None:
        """Until when it has heard everything: but for what still waits, everything."""
        if not self.definition.listeners.methods:
            return None
        return min((event.at for event in tuple(self.waiting) if event.at), default=now)

    def _at_least(self, shown: float | None, version: int) -> float:
        """The version to name: a browser takes none that is older than what it shows.

        It shows a later one where its worker died within a call that streamed, and where what
        was stored is gone: then the page is loaded anew. Raises `StateRefused`.
        """
        if shown is None or shown <= version:
            return version
        if shown >= version + 1:
            raise StateRefused("the component's state is no longer stored.", reason="expired")
        return shown

    def html(self, at: ledger.Standing, memo: Memo | None = None) -> str:
        """Return the HTML of what there is."""
        place = self.place()
        component = self.instance(place, at)
        place.settle(component)
        state = at.state
        if memo is not None and state is None:
            state = place.read(component, self.live.limits.state_bytes)
        return render(place, component, self._secrets, memo, state)

    def shown(self, memo: Memo | None = None) -> tuple[float, str]:
        """Return the version that there is, and its HTML."""
        at = self.stand()
        return at.version, self.html(at, memo)

    def unmount(self) -> None:
        """Tell the component that the browser has left."""
        self.instance(self.place(), self.stand()).unmount()

    # The steps of a call.

    def turn(self, work: Work, step: Callable[[str], None], memo: Memo | None = None) -> Turn:
        """Return the work's turn."""
        return Turn(
            self._store,
            self.owner,
            self.place(),
            work,
            secrets=self._secrets,
            state_bytes=self.live.limits.state_bytes,
            step=step,
            memo=memo,
        )

    def prepare(self, turn: Turn) -> Prepared:
        """Read what there is, and write down that the call runs, if it is to."""
        at = self.stand()
        verdict = turn.judge(at)
        if verdict != "run":
            return Prepared(verdict, at, None)
        component = self.instance(turn.place, at)
        if turn.work.is_async and self._store.blocking and self.definition.asks_session:
            len(turn.place.session())  # is read here: the method runs on the loop
        now = self.live.clock()
        turn.begin(at, component, now=now, tabs=self.live.limits.tabs, heard=self._heard(now))
        return Prepared(verdict, at, component)

    def conclude(self, turn: Turn, component: Component) -> Outcome:
        """Commit the call."""
        outcome = turn.commit(component)
        self.seen = outcome.version
        return outcome

    def run(self, turn: Turn, progress: Callable[[str], None]) -> Prepared | Outcome:
        """A whole call of a sync method; or what there is, where it does not run.

        `progress` is told the HTML at each `yield` of a generator.
        """
        prepared = self.prepare(turn)
        component = prepared.component
        if component is None:
            return prepared
        try:
            result = turn.work.run(component)
            if inspect.isgenerator(result):
                for _ in result:
                    progress(turn.render(component))
            return self.conclude(turn, component)
        except BaseException:
            turn.fail()
            raise
