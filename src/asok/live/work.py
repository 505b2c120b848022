"""What a turn is taken for: a browser's call, or events that a component listens to."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

from asok.errors import CallRefused, StateError
from asok.live import ledger
from asok.live.arguments import Bound
from asok.live.broadcasting import Event
from asok.live.component import Component
from asok.live.exposed import Method
from asok.live.extras import keep_typed
from asok.live.frames import Call
from asok.live.registry import Definition
from asok.live.store import Row
from asok.live.validation import message_of, validated

__all__ = ["MODEL", "REFRESH", "CallWork", "EventsWork", "Work"]

#: The method by which `ws-model` writes a field.
MODEL: Final = "$model"
#: The method that only shows what there is now, which `ws-poll` calls.
REFRESH: Final = "$refresh"


class Work(Protocol):
    """Something that runs in a component's turn."""

    name: str
    """For messages: `Counter.increment`."""
    hops: int
    """How many components an event came through before this."""
    method: Method | None
    """What a browser called; None for a field, or events."""

    @property
    def is_async(self) -> bool:
        """Whether it is awaited on the loop."""
        ...

    @property
    def on_loop(self) -> bool:
        """Whether it may run on the loop, where rendering its component may."""
        ...

    @property
    def seconds(self) -> float | None:
        """How long it may run; None for the limit of all."""
        ...

    @property
    def marks(self) -> ledger.Marks:
        """What the ledger notes."""
        ...

    def judge(self, row: Row | None) -> ledger.Verdict:
        """Whether it is to run."""
        ...

    def run(self, component: Component, /) -> Any:
        """Run it; what is returned may be a generator, or awaitable."""
        ...


class CallWork:
    """A call. Raises `CallRefused` before anything is touched."""

    hops = 0

    def __init__(self, definition: Definition, call: Call, tab: str) -> None:
        self.name = f"{definition.name}.{call.method}"
        self.marks: ledger.Marks = {tab: (call.seq,)}
        self._tab = tab
        self._call = call
        self.method: Method | None = definition.methods.get(call.method)
        self.run: Callable[[Component], Any] = self._resolve(definition)

    @property
    def is_async(self) -> bool:
        return self.method is not None and self.method.is_async

    @property
    def on_loop(self) -> bool:
        # `ws-model` of a component that lives on the loop does; a sync method may block.
        return self.method is None

    @property
    def seconds(self) -> float | None:
        return self.method.seconds if self.method else None

    def judge(self, row: Row | None) -> ledger.Verdict:
        return ledger.judge(row, self._tab, self._call.seq)

    def _resolve(self, definition: Definition) -> Callable[[Component], Any]:
        call, method = self._call, self.method
        if call.method == MODEL:
            return self._model(definition)
        if method is None:
            raise CallRefused(
                f"{definition.name} has no exposed method {call.method!r}.",
                fix="Write @exposed above the method to let browsers call it.",
            )
        if not (call.data or (call.args and method.validates)):  # most of what is clicked
            positional, named = method.parameters.bind(call.args, None)
            return lambda component: method.function(component, *positional, **named)
        bound = method.parameters.collect(call.args, call.data)
        return partial(_submit, method, bound, call.data or {})

    def _model(self, definition: Definition) -> Callable[[Component], None]:
        args = self._call.args or []
        if len(args) != 2 or not isinstance(args[0], str):
            raise CallRefused("ws-model sends a field's name and its value.", code="malformed")
        name, value = args
        if name not in definition.bindable:
            raise CallRefused(
                f"{definition.name}.{name[:64]} may not be written by browsers.",
                fix=f'Write _bindable = ["{name[:64]}"] into the class to let ws-model write it.',
            )
        try:
            written = definition.schema.write(name, value)
        except StateError as error:
            if not isinstance(value, str | bool):  # no field sends that
                raise
            return partial(_refuse, name, value, message_of(value, error))
        return partial(_write, name, written)


def _refuse(name: str, value: Any, message: str, component: Component) -> None:
    """Say what is wrong with a value that does not fit."""
    component.errors[name] = message
    keep_typed(component.typed, {name: value})


def _write(name: str, value: Any, component: Component) -> None:
    """Write a field, unless its validator refuses the value."""
    component.errors.pop(name, None)
    made = validated(component, name, value, component.errors)
    if name in component.errors:
        keep_typed(component.typed, {name: value})
    else:
        component.typed.pop(name, None)
        setattr(component, name, made)


def _submit(method: Method, bound: Bound, data: Mapping[str, Any], component: Component) -> Any:
    """Call a method, unless what came for it is wrong: then it says so beside the field.

    Validators are asked however a value came: a call with arguments may be forged.
    """
    errors = component.errors
    given = {**bound.others, **bound.values, **bound.wrong}
    for name in given:
        errors.pop(name, None)
        if name in bound.wrong:
            errors[name] = message_of(bound.wrong[name].value, bound.wrong[name])
        else:
            values = bound.values if name in bound.values else bound.others
            values[name] = validated(component, name, values[name], errors)
    if data:
        component.typed.clear()
        keep_typed(component.typed, data, several=method.parameters.several(), fields=given)
    if any(name in errors for name in given):
        return None
    positional, named = method.parameters.arguments(bound)
    return method.function(component, *positional, **named)


class EventsWork:
    """Events, in their order: those that this component has taken in another page view of its
    visitor are left out."""

    method: Method | None = None

    def __init__(self, definition: Definition, events: Sequence[Event]) -> None:
        self.name = f"{definition.name} on {events[-1].topic}"
        self.hops = max(event.hops for event in events)
        self._methods = definition.listeners
        self._events = list(events)

    @property
    def is_async(self) -> bool:
        return any(method.is_async for method in self._methods.methods.values())

    @property
    def on_loop(self) -> bool:
        return False

    @property
    def seconds(self) -> float | None:
        return None

    @property
    def marks(self) -> ledger.Marks:
        found: dict[str, list[int]] = {}
        for event in self._events:
            if event.publisher:
                found.setdefault(event.publisher, []).append(event.seq)
        return found

    def judge(self, row: Row | None) -> ledger.Verdict:
        # One may come twice: as it was sent, and for a browser that was away.
        once = {(event.publisher, event.seq): event for event in self._events if event.publisher}
        self._events = [
            event
            for event in self._events
            if not event.publisher
            or (
                once.pop((event.publisher, event.seq), None) is not None
                and not ledger.taken(row, event.publisher, event.seq)
            )
        ]
        return "run" if self._events else "answered"

    def run(self, component: Component) -> Any:
        if self.is_async:
            return self._run_async(component)
        for event in self._events:
            self._take(component, event)
        return None

    async def _run_async(self, component: Component) -> None:
        for event in self._events:
            result = self._take(component, event)
            if inspect.isawaitable(result):
                await result

    def _take(self, component: Component, event: Event) -> Any:
        method = self._methods.method(event.topic, component) if event.topic else None
        if method is None:
            return None
        # Everybody who listens gets the same event: what one does to a list of it is its own.
        data = {"topic": event.topic, **copy.deepcopy(event.payload)}
        positional, named = method.parameters.bind(None, data)
        return method.function(component, *positional, **named)
