"""One call, from its turn to its commit: started is written first, done with the new state.

Every step is plain code that runs where the caller puts it: all in one thread for a sync
method, around an `await` for an async one. Between the two writes the process may die: then
the next one to get the turn finds the call started and not done, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from asok import holes
from asok.errors import CallRefused, StateRefused
from asok.live import ledger
from asok.live.component import Component
from asok.live.memo import Memo
from asok.live.place import Effect, Place
from asok.live.rendered import render
from asok.live.store import LiveStore, Row
from asok.live.work import Work

__all__ = ["Outcome", "Turn"]


class Outcome(msgspec.Struct, frozen=True):
    """What to answer: the HTML of a version, and what else the method asked for."""

    version: int
    html: str
    effects: list[Effect] = msgspec.field(default_factory=list[Effect])


class Turn:
    """Work that holds its component's turn. Use: `begin`, then the method, then `commit` or
    `fail`; `step` is told every point between two effects (tests kill the process there)."""

    def __init__(
        self,
        store: LiveStore,
        owner: str,
        place: Place,
        work: Work,
        *,
        secrets: holes.Secrets,
        state_bytes: int,
        step: Callable[[str], None],
        memo: Memo | None = None,
    ) -> None:
        self._store = store
        self._owner = owner
        self.place = place
        self.work = work
        self._secrets = secrets
        self._state_bytes = state_bytes
        self._step = step
        self._memo = memo
        self._row: Row | None = None
        self._before: dict[str, Any] | None = None
        #: Set from another thread where the call took too long: nothing of it counts any more.
        self.abandoned = False
        #: Whether it had its turn.
        self.begun = False
        #: Whether a render from within the method was shown.
        self.streamed = False

    def judge(self, at: ledger.Standing) -> ledger.Verdict:
        """Whether the work is to run. An unknown outcome is written down as answered."""
        self.begun = True
        self._step("turn")
        self._go_on()
        verdict = self.work.judge(at.row)
        if verdict == "unknown":
            assert at.row is not None
            self._row = at.row
            self.fail()
        return verdict

    def begin(
        self,
        at: ledger.Standing,
        component: Component,
        *,
        now: float,
        tabs: int,
        heard: float | None = None,
    ) -> None:
        """Write down that the work runs; `heard` is as for the ledger.

        Raises `StateRefused` where the session is gone.
        """
        self._go_on()
        # The state as it was read needs no second encoding; a mounted one does.
        state = at.state or self.place.read(component, self._state_bytes)
        row = ledger.started(at, state, self.work.marks, now=now, tabs=tabs, heard=heard)
        self._write(row, at.replaces)
        if self.place.definition.watches:
            self._before = self.place.definition.schema.decode(state)
        self._step("started")

    def commit(self, component: Component) -> Outcome:
        """Render, save the session, and write the new state as done.

        The render comes before the writes: a state that can't be shown is never kept.
        """
        self._step("called")
        self._go_on()
        row = self._started
        self._tell(component)
        state = self.place.read(component, self._state_bytes)
        self.place.settle(component)
        html = self.render(component, state)
        self._step("rendered")
        self._go_on()
        if self.place.save_session():
            self._step("session")
        following = ledger.done(row, self.work.marks, state)
        self._write(following, row.revision)
        self._step("done")
        return Outcome(following.version, html, self.place.effects)

    def _go_on(self) -> None:
        if self.abandoned:
            raise CallRefused(f"{self.work.name} took too long.", code="timeout")

    def _tell(self, component: Component) -> None:
        """Tell a component which of its fields have changed."""
        if self._before is not None:
            changed = self.place.definition.schema.changed(self._before, component)
            if changed:
                component.updated(changed)

    def fail(self) -> None:
        """Write down that the work is over and changed nothing."""
        row = self._started
        self._store.save(
            self._owner,
            self.place.cid,
            ledger.done(row, self.work.marks, None, shown=self.streamed),
            replaces=row.revision,
        )

    def render(self, component: Component, state: bytes | None = None) -> str:
        """Return the component's inside, with the socket's secrets in it.

        With `state`, what was rendered of the same for somebody else is taken.
        """
        return render(self.place, component, self._secrets, self._memo, state)

    @property
    def partial(self) -> float:
        """The version of what is shown from within the method: after the one that is stored,
        before the one to come."""
        return self._started.version + 0.5

    @property
    def _started(self) -> Row:
        assert self._row is not None
        return self._row

    def _write(self, row: Row, replaces: int) -> None:
        if not self._store.save(self._owner, self.place.cid, row, replaces=replaces):
            raise StateRefused(
                "the session was ended, or another worker took this component over.",
                reason="gone",
            )
        self._row = row
