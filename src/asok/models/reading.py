"""Runs the statements of a plan: from the database, or from the cache where that is asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, inspect, literal
from sqlalchemy.orm import Mapper

from asok.errors import ModelError
from asok.models.conditions import column_of
from asok.models.configuration import configured_database
from asok.models.plan import Plan, kind_of
from asok.models.query_cache import QueryCache
from asok.models.request_scope import current_scope
from asok.models.rows import instances_of, layout

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
            statement = plan.ordered(plan.model).options(*plan.eager)
            with self.database.work() as work:
                return list(work.scalars(statement).all())
        if plan.eager:
            raise ModelError(
                "a cached query can't load relations with_() its rows.",
                fix="Cache the query of the other model too, or leave one of the two out.",
            )
        mapper: Mapper[Any] = inspect(plan.model)
        columns = layout(mapper).columns
        rows = self._rows(("get",), lambda: plan.ordered(*columns), columns)
        if current_scope() is None:
            return instances_of(mapper, rows, None)
        with self.database.work(wait=not plan.stored_only) as work:
            return instances_of(mapper, rows, work)

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
        cache = self._cache
        plan = self.plan
        if cache is None:
            return self._fetch(make())
        return cache.rows(
            make,
            plan.fingerprint(kind),
            plan.ttl,
            self._fetch,
            columns,
            plan.stale,
            stored_only=plan.stored_only,
        )

    def _fetch(self, statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with self.database.work() as work:
            return [tuple(row) for row in work.execute(statement).all()]


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
