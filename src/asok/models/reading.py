"""Runs the statements of a plan: from the database, or from the cache where that is asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, literal
from sqlalchemy.orm import Session

from asok.models.conditions import column_of
from asok.models.configuration import configured_database
from asok.models.plan import Plan, kind_of
from asok.models.query_cache import NotStored, QueryCache
from asok.models.related import Tree, tree
from asok.models.request_scope import Scope, current_scope
from asok.models.rows import pack, unpack

if TYPE_CHECKING:
    from asok.models.database import Database

__all__ = ["Reading"]


class Reading:
    """One run of a plan against the configured database."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.database: Database = configured_database()
        self._cache: QueryCache | None = self._usable() if plan.cached else None

    @property
    def at_once(self) -> bool:
        """Whether this may be answered on the event loop, where it is stored."""
        return self._cache is not None and self._cache.at_once

    def _usable(self) -> QueryCache | None:
        ttl = self.plan.ttl
        # What a transaction reads may be what it wrote itself, and may yet be rolled back.
        if (ttl is not None and ttl <= 0) or self.database.in_transaction:
            return None
        return self.database.queries

    def instances(self) -> list[Any]:
        """Return the plan's rows as instances of its model."""
        plan = self.plan
        cache = self._cache
        if cache is None:
            with self.database.work() as work:
                return list(work.scalars(plan.rows).all())
        found = tree(plan.model, plan.paths)
        stored = cache.rows(
            plan,
            ("get",),
            lambda: plan.ordered(*found.layout.columns),
            lambda statement: self._packed(found, statement),
            found.tables,
        )
        opened = current_scope()
        if opened is None or not opened.join():
            return found.unpack(stored, None)
        try:
            return self._joining(opened, found, stored)
        finally:
            opened.leave()

    def _joining(self, opened: Scope, found: Tree, stored: Sequence[Any]) -> list[Any]:
        """Return stored rows as instances of the scope's session, where no other thread uses it."""
        work = self.database.part(opened)
        if not work.lock.acquire(blocking=not self.plan.stored_only):
            raise NotStored
        try:
            return found.unpack(stored, work)
        finally:
            work.lock.release()

    def _packed(self, found: Tree, statement: Select[Any]) -> Sequence[Any]:
        if not found.branches:
            return pack(self._fetch(statement), found.layout.columns)
        # A session apart, on the same connection: the instances of the scope's own may hold
        # what was not written.
        with self.database.work() as work, Session(work.get_bind(), autoflush=False) as apart:
            return found.pack(apart.scalars(self.plan.rows).all())

    def values(self, kind: str, columns: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the plan's rows as values of `columns`."""
        named = (kind, *map(kind_of, columns))
        return self._rows(named, lambda: self.plan.ordered(*columns), columns)

    def exists(self) -> bool:
        """Return whether the plan has a row."""
        one = literal(1)
        return bool(self._rows(("exists",), lambda: self.plan.ordered(one), [one]))

    def aggregate(self, kind: str, function: Any, column: Any = None) -> Any:
        """Return `function(column)` over the plan's rows, or a dictionary of it by group."""
        plan = self.plan
        attribute = None if column is None else column_of(plan.model, column)
        keys = [column_of(plan.model, name) for name in plan.groups]
        rows = self._rows(
            (kind, None if attribute is None else kind_of(attribute)),
            lambda: plan.aggregate(function, attribute),
            [*keys, attribute],
        )
        if not plan.groups:
            return _number(kind, rows[0][0], attribute)
        return {
            (row[0] if len(keys) == 1 else tuple(row[:-1])): _number(kind, row[-1], attribute)
            for row in rows
        }

    def _rows(
        self, kind: Sequence[Hashable], make: Callable[[], Select[Any]], columns: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        if self._cache is None:
            return self._fetch(make())
        stored = self._cache.rows(
            self.plan, kind, make, lambda statement: pack(self._fetch(statement), columns)
        )
        return list(unpack(stored, columns))

    def _fetch(self, statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with self.database.work() as work:
            return work.execute(statement).all()


def _number(kind: str, value: Any, column: Any) -> Any:
    """Give an aggregate one type on every database.

    PostgreSQL sums and averages integers as `numeric`, which arrives as Decimal.
    """
    if kind == "sum" and value is None:
        return 0
    if isinstance(value, Decimal) and column is not None and kind in ("sum", "avg"):
        try:
            python_type = column.type.python_type
        except NotImplementedError:
            return value
        if python_type is int:
            return int(value) if kind == "sum" else float(value)
    return value
