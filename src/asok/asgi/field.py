"""A form field that templates write with or without call parentheses."""

from __future__ import annotations

from markupsafe import Markup

__all__ = ["Field"]


class Field(Markup):
    """`{{ request.csrf_input }}` and `{{ request.csrf_input() }}` are the same."""

    def __call__(self) -> Markup:
        return self
