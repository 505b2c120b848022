"""What templates show of the visitor: `nonce`, `csrf_token` and `csrf_input`.

Each is read from `asok.holes` when it is written out, so that imported macros, includes
and components show the values of the render that goes on. Each works with parentheses
and without. The values are base64url text by the contract of `asok.holes.Secrets`, so they
need no escaping.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from asok import holes
from asok.sessions import hidden_input

__all__ = ["GLOBALS", "csrf_field", "nonce_attribute"]


def csrf_field() -> Markup:
    """The hidden input with the visitor's CSRF token; nothing where a site has no tokens."""
    values = holes.secrets()
    return Markup(hidden_input(values.csrf)) if values.tokens else Markup()  # noqa: S704


def nonce_attribute() -> Markup:
    """` nonce="…"` with the nonce of the response, for a tag."""
    return Markup(f' nonce="{holes.secrets().nonce}"')  # noqa: S704


class _Shown:
    """A template variable that is read when it is written out or called."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def __call__(self) -> Markup:
        return Markup(self._read())  # noqa: S704

    def __html__(self) -> str:
        return self._read()

    def __str__(self) -> str:
        return self._read()


#: The template globals of this module, by name.
GLOBALS: dict[str, Any] = {
    "csrf_input": _Shown(csrf_field),
    "csrf_token": _Shown(lambda: holes.secrets().csrf),
    "nonce": _Shown(lambda: holes.secrets().nonce),
}
