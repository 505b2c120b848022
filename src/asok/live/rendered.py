"""A component's inside as a socket shows it: rendered, or taken from one who sees the same."""

from __future__ import annotations

from asok import holes
from asok.live.component import Component
from asok.live.memo import Memo
from asok.live.place import Place
from asok.live.secrets import WatchedSecrets

__all__ = ["render"]


def render(
    place: Place,
    component: Component,
    secrets: holes.Secrets,
    memo: Memo | None = None,
    state: bytes | None = None,
) -> str:
    """Return the HTML, with the socket's `secrets` in it.

    With a memo and the instance's state, what was rendered of the same for somebody else is
    taken.
    """
    if memo is None or state is None:
        with holes.use(secrets):
            return place.render(component)

    def make() -> tuple[str, bool]:
        watched = WatchedSecrets(secrets)
        with holes.use(watched):
            html = place.render(component)
        return html, not watched.used and not place.is_personal(component)

    return memo.html(place.definition.name, place.slot, state, make)
