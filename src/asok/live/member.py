"""A component that was joined on a socket: what it is, and the steps of its calls.

Nothing here waits: `conversation.py` decides what runs in a thread and what on the loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asok import holes
from asok.errors import ComponentError, StateError, StateRefused
from asok.live import ledger
from asok.live.component import Component
from asok.live.frames import Call, Join
from asok.live.place import Place, values_of
from asok.live.registry import Definition
from asok.live.scope import Visit
from asok.live.slot import fill
from asok.live.store import LiveStore
from asok.live.token import Joined, Payload
from asok.live.turn import Outcome, Turn

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Job", "Member", "Prepared"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that may run: `component` is the instance as it is now; None where it does not
    run, and then `at` says what there is."""

    verdict: ledger.Verdict
    at: ledger.Standing
    component: Component | None


@dataclass(frozen=True, slots=True)
class Job:
    """Something a component has to answer in its turn. `call` is None for a join, `seq` 0."""

    seq: int
    call: Call | None = None
    shown: int | None = None


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
        self._session_id = session_id
        self._secrets = secrets

    def __repr__(self) -> str:
        return f"<Member {self.n}: {self.payload.name} {self.payload.cid}>"

    @property
    def cid(self) -> str:
        """The component's identity."""
        return self.payload.cid

    @property
    def _store(self) -> LiveStore:
        return self.live.store

    def stand(self) -> ledger.Standing:
        """Read what is stored. Raises `StateRefused`."""
        at = ledger.standing(
            self._store.load(self.owner, self.cid),
            self.payload,
            schema=self.definition.schema.version,
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
        visit = Visit(self._session_id, frozen=False, inner=True)
        with holes.use(self._secrets):
            slot = fill(self.payload.slot)
        return self.live.place(self.definition, self.cid, visit, slot)

    def instance(self, place: Place, at: ledger.Standing) -> Component:
        """Return the instance as it stands. Raises `StateRefused` where the class has changed
        so that it can't be made from what the page says."""
        try:
            if at.state is not None:
                return place.restore(at.state)
            values = values_of(self.definition, self.payload.props)
        except (StateError, ComponentError) as error:
            raise StateRefused(str(error), reason="schema") from error
        return place.start(values)

    # The steps of a join.

    def joined(self, shown: int | None) -> tuple[int, str | None]:
        """Return the version that there is, and the HTML unless the page shows it already."""
        at = self.stand()
        if shown is None and not self.payload.blank:
            page = self.payload.version if isinstance(self.payload, Joined) else 0
            if not at.fits or at.version == page:
                return at.version, None
        elif shown == at.version:
            return at.version, None
        return at.version, self.html(at)

    def html(self, at: ledger.Standing) -> str:
        """Return the HTML of what there is."""
        place = self.place()
        with holes.use(self._secrets):
            return place.render(self.instance(place, at))

    # The steps of a call.

    def turn(self, call: Call, step: Callable[[str], None]) -> Turn:
        """Return the call, resolved. Raises `CallRefused`."""
        return Turn(
            self._store,
            self.owner,
            self.place(),
            call,
            tab=self.tab,
            secrets=self._secrets,
            state_bytes=self.live.limits.state_bytes,
            step=step,
        )

    def prepare(self, turn: Turn) -> Prepared:
        """Read what there is, and write down that the call runs, if it is to."""
        at = self.stand()
        verdict = turn.judge(at)
        if verdict != "run":
            return Prepared(verdict, at, None)
        component = self.instance(turn.place, at)
        turn.begin(at, component, now=self.live.clock(), tabs=self.live.limits.tabs)
        return Prepared(verdict, at, component)

    def conclude(self, turn: Turn, component: Component) -> Outcome:
        """Commit the call."""
        outcome = turn.commit(component)
        self.seen = outcome.version
        return outcome

    def run(self, turn: Turn) -> Prepared | Outcome:
        """A whole call of a sync method; or what there is, where it does not run."""
        prepared = self.prepare(turn)
        if prepared.component is None:
            return prepared
        try:
            turn.method(prepared.component)
            return self.conclude(turn, prepared.component)
        except BaseException:
            turn.fail()
            raise
