"""Events of rows: functions that are called when a row is written.

```python
@Post.on("saving")
def make_slug(post):
    post.slug = post.slug or slugify(post.title)
```

saving, creating, updating, deleting   before the statement: may change the row, or refuse by
                                       raising
created, updated, saved, deleted       after it, in its transaction: what they write belongs to
                                       it, what they raise undoes it
committed                              after the commit: mails, jobs

`update()` and `delete()` of a query are single statements and no events of rows.
"""

from __future__ import annotations

import inspect as python
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from asok.errors import ModelError
from asok.models.naming import suggest

__all__ = ["EVENTS", "Told", "add_listener"]

log = logging.getLogger("asok.models")

EVENTS: Final = (
    "saving",
    "creating",
    "updating",
    "deleting",
    "created",
    "updated",
    "saved",
    "deleted",
    "committed",
)
#: Where a model class keeps its own listeners, by event. They leave with the class.
_KEPT: Final = "__asok_listeners__"

F = TypeVar("F", bound=Callable[[Any], object])


def add_listener(cls: type[Any], event: str, function: F) -> F:
    """Have `function(row)` called for rows of a model and of its subclasses.

    Raises `ModelError` for an event that there is not, and for a coroutine function: a row may
    be written by a thread.
    """
    if event not in EVENTS:
        raise ModelError(
            f"{event!r} is no event of {cls.__name__}.", fix=suggest(str(event), EVENTS)
        )
    if python.iscoroutinefunction(function):
        raise ModelError(
            f"{function.__name__} listens to {cls.__name__} and is a coroutine function.",
            fix="Write it with def; start what takes long elsewhere.",
        )
    if _KEPT not in vars(cls):
        setattr(cls, _KEPT, {})
    vars(cls)[_KEPT].setdefault(event, []).append(function)
    return function


def _listeners(cls: type[Any], event: str) -> Iterator[Callable[[Any], object]]:
    for base in reversed(cls.__mro__):
        yield from tuple(vars(base).get(_KEPT, {}).get(event, ()))


def _tell(row: object, *events: str) -> None:
    for event in events:
        for listener in _listeners(type(row), event):
            listener(row)


def _listened(row: object) -> bool:
    return any(_KEPT in vars(base) for base in type(row).__mro__)


class Told:
    """What one session has to tell: after a flush, and after its commit."""

    def __init__(self) -> None:
        self._flushed: list[tuple[object, tuple[str, ...]]] = []
        self._written: list[object] = []

    def before_flush(self, session: Session) -> None:
        """Call the listeners of what comes before; what they add to the session follows."""
        seen: set[int] = set()
        while True:
            found = [
                (row, events)
                for row, events in _changes(session)
                if id(row) not in seen and _listened(row)
            ]
            if not found:
                return
            for row, events in found:
                seen.add(id(row))
                _tell(row, *events)
                done = {"creating": "created", "updating": "updated", "deleting": "deleted"}
                last = done[events[-1]]
                after = ("deleted",) if last == "deleted" else (last, "saved")
                self._flushed.append((row, after))

    def after_flush(self) -> None:
        """Call the listeners of what was written, in its transaction."""
        flushed, self._flushed = self._flushed, []
        for row, events in flushed:
            self._written.append(row)
            _tell(row, *events)

    def mark(self) -> int:
        """Where a savepoint begins, for `forget`."""
        return len(self._written)

    def forget(self, mark: int = 0) -> None:
        """Forget what was undone."""
        self._flushed.clear()
        del self._written[mark:]

    def after_commit(self) -> None:
        """Call the listeners of what is done; what they raise is logged, for it stays done."""
        written, self._written = self._written, []
        for row in {id(row): row for row in written}.values():
            try:
                _tell(row, "committed")
            except Exception:
                log.exception("a listener to the commit of %r failed", row)


def _changes(session: Session) -> Iterator[tuple[object, tuple[str, ...]]]:
    for row in tuple(session.new):
        yield row, ("saving", "creating")
    for row in tuple(session.dirty):
        if session.is_modified(row):
            yield row, ("saving", "updating")
    for row in tuple(session.deleted):
        yield row, ("deleting",)
