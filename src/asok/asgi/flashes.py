"""Messages that wait in a session for the next page that shows them."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

__all__ = ["keep", "take"]

_KEY = "_flashes"


def keep(session: MutableMapping[str, Any], message: str, category: str) -> None:
    """Add a message."""
    session[_KEY] = [*session.get(_KEY, []), [category, message]]


def take(session: MutableMapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Remove the messages; returns pairs of category and text."""
    if _KEY not in session:
        return ()
    return [(category, text) for category, text in session.pop(_KEY)]
