"""Each statement of an engine told to who observes the request: its text, line and seconds."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Final

from sqlalchemy import Engine, event

from asok import observing
from asok.models.asking import asking_line, watch_askers

__all__ = ["tell_statements"]

_BEGUN: Final = "_asok_begun"


def tell_statements(engine: Engine) -> None:
    """Tell of every statement of `engine` from now on, where somebody observes."""
    watch_askers()
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)


def _begin(
    _connection: object,
    _cursor: object,
    _statement: str,
    _parameters: object,
    context: Any,
    _many: bool,
) -> None:
    setattr(context, _BEGUN, perf_counter())


def _end(
    _connection: object,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: Any,
    _many: bool,
) -> None:
    observer = observing.current()
    if observer is not None:
        seconds = perf_counter() - getattr(context, _BEGUN)
        observer.queried(statement, asking_line(), seconds)
