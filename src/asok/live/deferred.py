"""`client="defer"`: a placeholder that is the same for everybody, and what takes its place.

A page that is shared says which component belongs where, signed and bound to no visitor; the
browser sends that back once, and gets the component as it is for this visitor: with its
session, its stored state, and alive.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from asok.errors import ComponentError, StateRefused
from asok.live.component import SessionLike
from asok.live.place import values_of
from asok.live.records import encode_in_order
from asok.live.registry import Definition
from asok.live.scope import Visit
from asok.live.showing import placeholder
from asok.live.slot import Html, fill, keep
from asok.live.token import Signed
from asok.signing import Keys

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["PURPOSE", "Deferrals", "Deferred"]

#: No other signed value of the site is taken for one of these, nor the reverse.
PURPOSE: Final = "live.defer"
_PREFIX: Final = "asok-"


class Deferred(msgspec.Struct, array_like=True, tag="d", frozen=True):
    """A component that is still to be rendered.

    `props` are the constructor's values as JSON, `slot` the HTML it was given, `page` the path
    of the page that it stands on: whoever may not see that page may not see the component.
    """

    name: str
    cid: str
    props: msgspec.Raw
    slot: str
    page: str


class Deferrals:
    """Makes placeholders, and renders what was held back."""

    def __init__(self, live: Live, keys: Keys, *, script_url: str) -> None:
        self._live = live
        self._tokens = Signed(keys, PURPOSE, msgspec.json.Decoder(Deferred))
        self._script_url = script_url

    def placeholder(
        self, definition: Definition, cid: str, values: dict[str, Any], slot: str, visit: Visit
    ) -> Html:
        """Return the placeholder of a component on the page that `visit` renders.

        Raises `ComponentError` for values and a slot that are too large to be sent back.
        """
        assert visit.page is not None
        limits = self._live.limits
        visit.deferred += 1
        if visit.deferred > limits.components:
            raise ComponentError(
                f"this page defers more than {limits.components} components; {definition.name} is "
                "the next.",
                fix="Defer one component that shows them all, or write client='visible'.",
            )
        kept = keep(slot, definition.name, limits.state_bytes)
        props = msgspec.Raw(encode_in_order(values))
        token = self._tokens.sign(Deferred(definition.name, cid, props, kept, visit.page))
        if len(token) > limits.deferred_bytes:
            raise ComponentError(
                f"deferring component {definition.name} takes {len(token)} bytes, expected at most "
                f"{limits.deferred_bytes}: every visitor's browser sends its values and its slot "
                "back.",
                fix="Give it the key of the data, and write what is shown meanwhile into "
                "render_placeholder().",
            )
        inside = self._inside(definition, cid, values, Html(slot), visit)
        scripts = self._live.scripts(visit, self._script_url)
        return Html(
            f'<div id="{_PREFIX}{cid}" data-asok-component="{html.escape(definition.name)}" '
            f'data-asok-defer="{token}" aria-busy="true">{inside}</div>{scripts}'
        )

    def _inside(
        self, definition: Definition, cid: str, values: dict[str, Any], slot: Html, visit: Visit
    ) -> str:
        """What is shown meanwhile: the same for everybody, also on a page for one visitor."""
        shared = Visit(None, frozen=True, scripted=visit.scripted, cids=visit.cids)
        place = self._live.place(definition, cid, shared, slot)
        return placeholder(place, place.make(values), shared)

    def read(self, asked: Mapping[str, str]) -> dict[str, Deferred]:
        """Return what was signed, by the id of the element; what is not whole is left out.

        A token counts only for the element that it was made for.
        """
        found: dict[str, Deferred] = {}
        for element, token in asked.items():
            if len(token) > self._live.limits.deferred_bytes:
                continue
            try:
                deferred = self._tokens.read(token)
            except StateRefused:
                continue
            if element == _PREFIX + deferred.cid:
                found[element] = deferred
        return found

    def fill(self, deferred: Deferred, *, session_id: str, session: SessionLike) -> Html:
        """Return the component for the visitor whose session it is, in its wrapper.

        Raises whatever the component raises; `ComponentError` and `StateError` where its class
        is gone or takes these values no longer.
        """
        definition = self._live.registry.get(deferred.name)
        values = values_of(definition, deferred.props)
        visit = Visit(session_id, frozen=False, session=session, late=True, origin=deferred.page)
        return self._live.show(
            definition, deferred.cid, visit, values, slot=fill(deferred.slot), kept=deferred.slot
        )
