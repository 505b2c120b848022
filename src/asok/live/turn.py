"""One call, from its turn to its commit: started is written first, done with the new state.

Every step is plain code that runs where the caller puts it: all in one thread for a sync
method, around an `await` for an async one. Between the two writes the process may die: then
the next one to get the turn finds the call started and not done, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asok import holes
from asok.errors import CallRefused, StateRefused
from asok.live import ledger
from asok.live.component import Component
from asok.live.frames import Call
from asok.live.place import Place
from asok.live.store import LiveStore, Row

__all__ = ["MODEL", "Outcome", "Turn"]

#: The method by which `ws-model` writes a field.
MODEL = "$model"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer: the HTML of a version."""

    version: int
    html: str


class Turn:
    """A call that holds its component's turn. Use: `begin`, then the method, then `commit` or
    `fail`; `step` is told every point between two effects (tests kill the process there)."""

    def __init__(
        self,
        store: LiveStore,
        owner: str,
        place: Place,
        call: Call,
        *,
        tab: str,
        secrets: holes.Secrets,
        state_bytes: int,
        step: Callable[[str], None],
    ) -> None:
        self._store = store
        self._owner = owner
        self.place = place
        self._call = call
        self._tab = tab
        self._secrets = secrets
        self._state_bytes = state_bytes
        self._step = step
        self._row: Row | None = None
        self.abandoned = False
        self.method: Callable[[Component], Any] = self._resolve()

    def _resolve(self) -> Callable[[Component], Any]:
        """Find what is called. Raises `CallRefused` before anything is touched."""
        call, definition = self._call, self.place.definition
        if call.method == MODEL:
            return self._model()
        method = definition.methods.get(call.method)
        if method is None:
            raise CallRefused(
                f"{definition.name} has no exposed method {call.method!r}.",
                fix="Write @exposed above the method to let browsers call it.",
            )
        positional, named = method.parameters.bind(call.args, call.data)
        return lambda component: method.function(component, *positional, **named)

    def _model(self) -> Callable[[Component], None]:
        args, definition = self._call.args or [], self.place.definition
        if len(args) != 2 or not isinstance(args[0], str):
            raise CallRefused("ws-model sends a field's name and its value.", code="malformed")
        name, value = args
        if name not in definition.bindable:
            raise CallRefused(
                f"{definition.name}.{name[:64]} may not be written by browsers.",
                fix=f'Write _bindable = ["{name[:64]}"] into the class to let ws-model write it.',
            )
        written = definition.schema.write(name, value)
        return lambda component: setattr(component, name, written)

    def judge(self, at: ledger.Standing) -> ledger.Verdict:
        """Whether the call is to run. An unknown outcome is written down as answered."""
        self._step("turn")
        verdict = ledger.judge(at.row, self._tab, self._call.seq)
        if verdict == "unknown":
            assert at.row is not None
            self._row = at.row
            self.fail()
        return verdict

    def begin(self, at: ledger.Standing, component: Component, *, now: float, tabs: int) -> None:
        """Write down that the call runs. Raises `StateRefused` where the session is gone."""
        # The state as it was read needs no second encoding; a mounted one does.
        state = at.state or self.place.read(component, self._state_bytes)
        row = ledger.started(at, state, self._tab, self._call.seq, now=now, tabs=tabs)
        self._write(row, at.replaces)
        self._step("started")

    def commit(self, component: Component) -> Outcome:
        """Render, save the session, and write the new state as done.

        The render comes before the writes: a state that can't be shown is never kept.
        """
        self._step("called")
        if self.abandoned:
            raise CallRefused(f"{self._call.method} took too long.", code="timeout")
        row = self._started
        state = self.place.read(component, self._state_bytes)
        html = self.render(component)
        self._step("rendered")
        if self.place.save_session():
            self._step("session")
        following = ledger.done(row, self._tab, self._call.seq, state)
        self._write(following, row.revision)
        self._step("done")
        return Outcome(following.version, html)

    def fail(self) -> None:
        """Write down that the call is over and changed nothing."""
        row = self._started
        self._store.save(
            self._owner,
            self.place.cid,
            ledger.done(row, self._tab, self._call.seq, None),
            replaces=row.revision,
        )

    def render(self, component: Component) -> str:
        """Return the component's inside, with the socket's secrets in it."""
        with holes.use(self._secrets):
            return self.place.render(component)

    @property
    def method_name(self) -> str:
        """What was called, for messages."""
        return f"{self.place.definition.name}.{self._call.method}"

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
