"""The HTML that a page puts into a component, kept in its token for later renders.

What is secret in it stays out: the token of a page that is stored for everybody holds no
visitor's value, and a later render puts its own in.
"""

from __future__ import annotations

import re
from typing import Final

from asok import holes
from asok.errors import ComponentError

__all__ = ["Html", "fill", "keep"]

_NONCE: Final = re.compile(
    r"""(<(?:script|style)\b[^>]*?\snonce=)("[^"]*"|'[^']*')""", re.IGNORECASE
)
_CSRF: Final = re.compile(
    r"""(<input\b[^>]*?\sname=["']?csrf_token["']?[^>]*?\svalue=)("[^"]*"|'[^']*')""", re.IGNORECASE
)


class Html(str):
    """Text that a template writes out as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """The protocol by which template engines know markup."""
        return str(self)


def keep(slot: str, name: str, limit: int) -> str:
    """Return a slot of component `name` as its token may hold it: without secrets.

    Raises `ComponentError` for more than `limit` bytes.
    """
    if len(slot) > limit:
        raise ComponentError(
            f"the slot of component {name} has {len(slot)} characters, expected at most {limit}: "
            "it is kept in the page for later renders.",
            fix="Render what is large beside the component, or in its own template.",
        )
    return _CSRF.sub(r'\1""', _NONCE.sub(r'\1""', slot))


def fill(slot: str) -> Html:
    """Return a kept slot with the CSRF value of the render that is going on."""
    if "csrf_token" in slot:
        slot = _CSRF.sub(lambda found: f'{found[1]}"{holes.secrets().csrf}"', slot)
    return Html(slot)
