"""Whether what renders now is a draft: shown to one editor, kept nowhere.

Set around the handlers of a visitor in draft mode, and asked by whatever keeps parts of
pages, so that nothing unpublished gets into a store that other visitors read.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_draft", "render_draft"]

_draft: ContextVar[bool] = ContextVar("asok.draft", default=False)


def is_draft() -> bool:
    """Whether the render that goes on is a draft."""
    return _draft.get()


@contextmanager
def render_draft(on: bool = True) -> Generator[None]:
    """Make what renders inside the block a draft, unless `on` is False."""
    token = _draft.set(on)
    try:
        yield
    finally:
        _draft.reset(token)
