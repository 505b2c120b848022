"""N+1 queries, noticed while developing: a line that asks the same thing again and again.

A loop over posts that reads `post.author` runs one query for each post. Nothing is wrong with
the result, so nobody notices until the table has grown. While developing, every session counts
what each line of the site asks for; the fifth time is a warning with the line and the way out.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Mapper, ORMExecuteState, RelationshipProperty, Session

__all__ = ["LIMIT", "NoWatch", "RepeatedQueries", "Watch", "note_asker", "user_line"]

log = logging.getLogger("asok.models")

#: How often one line may ask for the same within a request.
LIMIT: Final = 5
#: The folders of code that is not the site's: Asok itself, and installed packages.
_ASOK: Final = str(Path(__file__).parent.parent) + "/"
_LIBRARIES: Final = ("/site-packages/", "/dist-packages/", f"/python{sys.version_info[0]}.")


_watching = False
_asker: ContextVar[str | None] = ContextVar("asok.models.asker", default=None)


def note_asker() -> None:
    """Remember the line that is about to wait for a thread, if anybody watches."""
    if _watching:
        _asker.set(user_line(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]


class Watch(Protocol):
    """Looks at the statements of a session."""

    def begin(self, session: Session) -> None:
        """Watch a new session."""
        ...


class NoWatch:
    """Production: nobody looks."""

    def begin(self, session: Session) -> None:
        pass


class RepeatedQueries:
    """Development: warns of the line that asks for the same `LIMIT` times in one session."""

    def __init__(self) -> None:
        self._counts: WeakKeyDictionary[Session, Counter[tuple[str, str]]] = WeakKeyDictionary()
        self._told: set[tuple[str, str]] = set()

    def begin(self, session: Session) -> None:
        """Watch a new session."""
        global _watching
        _watching = True
        self._counts[session] = Counter()
        event.listen(session, "do_orm_execute", self._note)

    def _note(self, state: ORMExecuteState) -> None:
        if not state.is_select or state.is_column_load:
            return
        counts = self._counts.get(state.session)  # pyright: ignore[reportArgumentType]
        what = _asked(state)
        # In a thread of `hop` the site's own code is not on the stack: it waits on the loop.
        line = user_line(sys._getframe(1)) or _asker.get()  # pyright: ignore[reportPrivateUsage]
        if counts is None or what is None or line is None:
            return
        key = (line, what)
        counts[key] += 1
        if counts[key] == LIMIT and key not in self._told:
            self._told.add(key)  # once, not at every reload of the page
            log.warning("N+1 queries: %s %s", line, _advice(what))


def _asked(state: ORMExecuteState) -> str | None:
    """What a statement asks for: a relation, or rows of a model."""
    path: Any = state.loader_strategy_path
    if state.lazy_loaded_from is not None and path is not None:
        relations: list[Any] = [
            part for part in path.path if isinstance(part, RelationshipProperty)
        ]
        if relations:
            return f"{state.lazy_loaded_from.mapper.class_.__name__}.{relations[-1].key}"
    if state.is_relationship_load:
        return None  # `with_` at work: one query for all rows
    mapper: Mapper[Any] | None = state.bind_mapper
    return None if mapper is None else mapper.class_.__name__


def _advice(what: str) -> str:
    model, _, relation = what.partition(".")
    if relation:
        return (
            f"loaded {what} for {LIMIT} rows, one query for each. "
            f'Load it with the rows: {model}.query().with_("{relation}").'
        )
    return (
        f"asked for {model} {LIMIT} times. "
        f'Ask once before the loop: {model}.query().where_in("id", ids).'
    )


def user_line(frame: FrameType | None) -> str | None:
    """Return `file:line` of the innermost frame of the site's own code; of templates too."""
    while frame is not None:
        name = frame.f_code.co_filename
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return f"{name}:{template.get_corresponding_lineno(frame.f_lineno)}"
        ours = name.startswith((_ASOK, "<")) or any(part in name for part in _LIBRARIES)
        if not ours:
            return f"{_short(name)}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def _short(name: str) -> str:
    path = Path(name)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return name
