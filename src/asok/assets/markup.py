"""One HTML tag as text."""

from __future__ import annotations

from html import escape

__all__ = ["tag"]


def tag(element: str, **attributes: str | None) -> str:
    """Return the start tag of `element`, without the attributes that are None."""
    written = (f' {n}="{escape(value)}"' for n, value in attributes.items() if value is not None)
    return f"<{element}{''.join(written)}>"
