"""`client=`: when a component of a page comes alive."""

from __future__ import annotations

import difflib
import re
from typing import Final

from asok.errors import ComponentError

__all__ = ["STRATEGIES", "check_client", "waits"]

#: What each strategy means; `media:(query)` comes beside them.
STRATEGIES: Final = {
    "load": "as soon as the page has loaded",
    "visible": "when it is seen",
    "idle": "when the browser is idle, or after 2 seconds",
    "interaction": "when it is clicked, touched, focused or typed into",
    "only": "like load, and the page shows nothing of it before",
    "defer": "it is rendered for each visitor after the page, and the page holds its place",
    "none": "never: it stays plain HTML",
}

_MEDIA: Final = re.compile(r"media:\([^()<>\"']{1,200}\)(?: (?:and|or) \([^()<>\"']{1,200}\))*")


def check_client(name: str, client: str | None) -> str | None:
    """Return the strategy of component `name`; None for the default.

    Raises `ComponentError` with the likely word for anything else.
    """
    if client is None or client in STRATEGIES or _MEDIA.fullmatch(client):
        return client
    bare = client.removeprefix("client:").split(":")[0]
    near = difflib.get_close_matches(bare, [*STRATEGIES, "media"], n=1)
    fix = f"Use {', '.join(STRATEGIES)} or media:(query)."
    if near == ["media"]:
        fix = f"Write client='media:(min-width: 40em)'. {fix}"
    elif near:
        fix = f"Did you mean client={near[0]!r}? {fix}"
    raise ComponentError(f"component {name} got client={client!r}.", fix=fix)


def waits(client: str | None) -> bool:
    """Whether the runtime learns of the component only when its time has come."""
    return client is not None and client.startswith(("interaction", "media:"))
