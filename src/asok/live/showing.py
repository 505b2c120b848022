"""A component on a page: its wrapper, its inside, and what its token says."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import msgspec

from asok.errors import ComponentError, StateError, StateRefused
from asok.live.client import waits
from asok.live.component import Component
from asok.live.place import Place
from asok.live.plain_form import plain_forms
from asok.live.records import encode_in_order
from asok.live.registry import Definition
from asok.live.scope import Scope, Visit, enter
from asok.live.token import NO_STATE, Frozen, Joined, Payload, digest

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Showing", "placeholder"]


class Showing:
    """Renders components into pages."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def wrapped(
        self,
        place: Place,
        visit: Visit,
        values: dict[str, Any],
        kept: str,
        client: str | None,
        lazy: bool,
    ) -> str:
        """Return the HTML of an instance in its wrapper; nothing where its guard refuses."""
        definition = place.definition
        if lazy and client == "none":
            raise ComponentError(
                f"component {definition.name} got lazy=True and client='none', so that it would "
                "never come.",
                fix="Leave one of them away.",
            )
        blank = lazy or client == "only"
        payload = self._frozen(definition, place.cid, values, kept, visit.origin, blank=blank)
        try:
            if lazy:
                inside = placeholder(place, place.make(values), visit)
            elif client == "only":
                inside = ""
            elif client == "none" or visit.bound is None:
                inside = self._permitted(place, place.start(values))
            else:
                payload, inside = self._joined(place, payload, values, visit.bound)
        except StateRefused:
            return ""
        return self._wrapper(payload, inside, client, busy=lazy)

    @staticmethod
    def _permitted(place: Place, component: Component) -> str:
        place.permit(component)
        return place.render(component)

    def _frozen(
        self,
        definition: Definition,
        cid: str,
        values: dict[str, Any],
        slot: str,
        page: str,
        *,
        blank: bool,
    ) -> Frozen:
        props = encode_in_order(values)
        limit = self._live.limits.state_bytes
        if len(props) > limit:
            raise ComponentError(
                f"component {definition.name} got {len(props)} bytes of values, expected at most "
                f"{limit}: they are kept in the page.",
                fix="Give it the key of the data, and load the data in mount().",
            )
        schema = definition.schema.version
        return Frozen(definition.name, cid, schema, msgspec.Raw(props), blank, slot, page)

    def _joined(
        self, place: Place, frozen: Frozen, values: dict[str, Any], owner: str
    ) -> tuple[Joined, str]:
        """Render for one visitor: what is stored for the same values, or a new start."""
        row = self._live.store.load(owner, frozen.cid)
        props = digest(frozen.props)
        component, state = None, NO_STATE
        if row is not None and (row.schema, row.props) == (frozen.schema, props):
            try:
                component = place.restore(row.state)
            except StateError:  # made by a class that was named alike and is gone
                component = None
        if component is None:
            component = place.start(values)
            state = msgspec.Raw(place.read(component, self._live.limits.state_bytes))
        version = row.version if row else 0
        inside = self._permitted(place, component)
        joined = Joined(
            frozen.name, frozen.cid, frozen.schema, frozen.props, frozen.blank, frozen.slot,
            owner, version, round(self._live.clock(), 3), state, frozen.page,
        )  # fmt: skip
        return joined, inside

    def _wrapper(self, payload: Payload, inside: str, when: str | None, *, busy: bool) -> str:
        attributes = {"id": f"asok-{payload.cid}", "data-asok-component": payload.name}
        if when != "none":
            token = self._live.tokens.sign(payload)
            # What waits is no component to the runtime, until `later.js` renames it.
            name = "data-asok-later" if waits(when) else "data-asok-state"
            attributes[name] = token
            inside = plain_forms(inside, token=token, action=self._live.door_url)
        if when not in (None, "none"):
            attributes["data-asok-client"] = when
        if busy:
            attributes["aria-busy"] = "true"
        written = "".join(f' {name}="{html.escape(text)}"' for name, text in attributes.items())
        return f"<div{written}>{inside}</div>"


def placeholder(place: Place, component: Component, visit: Visit) -> str:
    """Return what stands for a component that is not mounted yet. Raises `ComponentError`."""
    with enter(Scope(place.cid, visit)):
        made: Any = component.render_placeholder()
    if not isinstance(made, str):
        raise ComponentError(
            f"{place.definition.name}.render_placeholder() returned {type(made).__name__}, "
            "expected HTML.",
            fix='End it with return self.html("….html").',
            file=place.definition.file,
        )
    return str(made)
