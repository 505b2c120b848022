"""N+1 queries, noticed while developing: a line that asks the same thing again and again.

A loop over posts that reads `post.author` runs one query for each post. Nothing is wrong with
the result, so nobody notices until the table has grown. While developing, every session counts
what each line of the site asks for; the fifth time is a warning with the line and the way out.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.orm import Mapper, ORMExecuteState, RelationshipProperty, Session

from asok import observing
from asok.models.asking import asking_line, watch_askers
from asok.models.statements import tell_statements

__all__ = ["LIMIT", "NoWatch", "RepeatedQueries", "Watch"]

log = logging.getLogger("asok.models")

#: How often one line may ask for the same within a request.
LIMIT: Final = 5


class Watch(Protocol):
    """Looks at the statements of a database."""

    def connect(self, engine: Engine) -> None:
        """Watch a new engine."""
        ...

    def begin(self, session: Session) -> None:
        """Watch a new session."""
        ...


class NoWatch:
    """Production: nobody looks."""

    def connect(self, engine: Engine) -> None:
        pass

    def begin(self, session: Session) -> None:
        pass


class RepeatedQueries:
    """Development: warns of the line that asks for the same `LIMIT` times in one session."""

    def __init__(self) -> None:
        self._counts: WeakKeyDictionary[Session, Counter[tuple[str, str]]] = WeakKeyDictionary()
        self._told: set[tuple[str, str]] = set()

    def connect(self, engine: Engine) -> None:
        """Watch a new engine."""
        if observing.wanted():
            tell_statements(engine)

    def begin(self, session: Session) -> None:
        """Watch a new session."""
        watch_askers()
        self._counts[session] = Counter()
        event.listen(session, "do_orm_execute", self._note)

    def _note(self, state: ORMExecuteState) -> None:
        if not state.is_select or state.is_column_load:
            return
        counts = self._counts.get(state.session)  # pyright: ignore[reportArgumentType]
        what = _asked(state)
        line = asking_line()
        if counts is None or what is None or line is None:
            return
        key = (line, what)
        counts[key] += 1
        if counts[key] != LIMIT:
            return
        advice = _advice(what)
        observer = observing.current()
        if observer is not None:
            observer.repeated(line, advice)
        if key not in self._told:
            self._told.add(key)  # once, not at every reload of the page
            log.warning("N+1 queries: %s %s", line, advice)


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
