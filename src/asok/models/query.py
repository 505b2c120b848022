"""The query builder: conditions, order and limits by name, run by one call at the end.

A query never changes: every method returns a new one. Wherever a column or condition is
taken by name, SQLAlchemy's own constructs (`Post.views > 3`, `func.lower(Post.title)`) are
taken as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Generic, Self, TypeVar, cast

from sqlalchemy import CursorResult, Select, delete, func, inspect, literal, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapper

from asok.errors import ModelError, RecordNotFound
from asok.models.conditions import column_name, column_of, condition
from asok.models.keys import key_values
from asok.models.paginated import Paginated
from asok.models.plan import Plan, eager_option, order
from asok.models.query_cache import seconds
from asok.models.reading import Reading
from asok.models.revalidates import rows_tags

__all__ = ["Query"]

M = TypeVar("M", bound=DeclarativeBase)

#: Rows that OFFSET can pass over in SQLite and PostgreSQL (a signed 64-bit number).
_LARGEST = 2**63 - 1


class Query(Generic[M]):
    """A query for instances of one model; made by `Post.query()` or `Post.where(...)`."""

    def __init__(self, model: type[M], plan: Plan | None = None) -> None:
        self._model = model
        self._plan = plan if plan is not None else Plan(model)

    def __repr__(self) -> str:
        return f"<Query {self.statement}>"

    def __iter__(self) -> Iterator[M]:
        return iter(self.get())

    def _with(self, **changes: Any) -> Self:
        return type(self)(self._model, replace(self._plan, **changes))

    @property
    def statement(self) -> Select[M]:
        """The query as an SQLAlchemy SELECT, to go on with by its own means."""
        return self._plan.ordered(self._model).options(*self._plan.eager)

    def where(self, *arguments: Any) -> Self:
        """AND a condition: `("slug", slug)`, `("views", ">", 3)`, or an SQLAlchemy expression.

        Operators: = != < <= > >= like ilike in between is, and not … of the words. None asks
        for NULL. Raises `UnknownColumn` or `UnknownOperator` with the nearest name.
        """
        *others, last = self._plan.alternatives
        return self._with(alternatives=(*others, (*last, condition(self._model, arguments))))

    def or_where(self, *arguments: Any) -> Self:
        """OR: what was asked before it, or this condition and those that follow.

        As in SQL, AND binds stronger: `where(a).or_where(b).where(c)` is `a OR (b AND c)`.
        """
        node = condition(self._model, arguments)
        alternatives = self._plan.alternatives
        return self._with(
            alternatives=((node,),) if alternatives == ((),) else (*alternatives, (node,))
        )

    def where_in(self, column: Any, values: Any) -> Self:
        """AND: the column has one of these values (no value: no row)."""
        return self.where(column, "in", values)

    def where_not_in(self, column: Any, values: Any) -> Self:
        """AND: the column has none of these values."""
        return self.where(column, "not in", values)

    def where_null(self, column: Any) -> Self:
        """AND: the column is NULL."""
        return self.where(column, None)

    def where_not_null(self, column: Any) -> Self:
        """AND: the column is not NULL."""
        return self.where(column, "!=", None)

    def where_between(self, column: Any, low: Any, high: Any) -> Self:
        """AND: low <= column <= high."""
        return self.where(column, "between", (low, high))

    def like(self, column: Any, pattern: str) -> Self:
        """AND: the column matches a pattern of LIKE (`%` any text, `_` one character)."""
        return self.where(column, "like", pattern)

    def order_by(self, *columns: Any) -> Self:
        """Order by columns, `"-views"` descending; further calls order what is equal so far."""
        orders = tuple(order(self._model, column) for column in columns)
        return self._with(orders=(*self._plan.orders, *orders))

    def latest(self, column: str = "") -> Self:
        """Newest first: by `column`, else by `created_at` where there is one, else by the key."""
        return self.order_by(*(f"-{name}" for name in self._age(column)))

    def oldest(self, column: str = "") -> Self:
        """Oldest first; see `latest`."""
        return self.order_by(*self._age(column))

    def _age(self, column: str) -> list[str]:
        mapper: Mapper[Any] = inspect(self._model)
        if column:
            return [column]
        if "created_at" in mapper.column_attrs:
            return ["created_at"]
        return [mapper.get_property_by_column(key).key for key in mapper.primary_key]

    def limit(self, rows: int) -> Self:
        """Return at most this many rows."""
        return self._with(limit=_count("limit", rows))

    def offset(self, rows: int) -> Self:
        """Pass over this many rows first."""
        return self._with(offset=_count("offset", rows))

    def group_by(self, *columns: Any) -> Self:
        """Group by columns; then `count`, `sum`, `avg`, `min`, `max` return a dictionary.

        `Post.query().group_by("status").count()` -> `{"draft": 2, "public": 5}`; with several
        columns the keys are tuples.
        """
        names = tuple(column_name(self._model, column) for column in columns)
        return self._with(groups=(*self._plan.groups, *names))

    def with_(self, *relations: Any) -> Self:
        """Load relations together with the rows: `"author"`, `"comments.author"`."""
        options = tuple(eager_option(self._model, relation) for relation in relations)
        return self._with(eager=(*self._plan.eager, *options))

    def cache(self, ttl: float | timedelta | None) -> Self:
        """Answer from the cache for `ttl` seconds (None: until a table in it is written).

        A hit uses no connection. Inside `transaction()` the database is asked. With 0 or less
        nothing is stored.
        """
        return self._with(cached=True, ttl=seconds(ttl))

    def get(self) -> list[M]:
        """Return all rows as instances."""
        if self._plan.groups:
            raise ModelError(
                f"get() of {self._model.__name__} after group_by() has no one row for a group.",
                fix="End with count(), sum(), avg(), min() or max(), or use .statement.",
            )
        return Reading(self._plan).instances()

    def all(self) -> list[M]:
        """Return all rows, in the order of the primary key where no other was asked."""
        return self._with(orders=self._plan.primary_order()).get()

    def first(self) -> M | None:
        """Return the first row, in the order of the primary key where no other was asked."""
        found = self._with(limit=1, orders=self._plan.primary_order()).get()
        return found[0] if found else None

    def first_or_fail(self) -> M:
        """Return the first row. Raises `RecordNotFound` where there is none."""
        found = self.first()
        if found is None:
            raise RecordNotFound(f"no {self._model.__name__} fits the query.")
        return found

    def find(self, key: Any) -> M | None:
        """Return the row with this primary key, if it also fits the conditions."""
        mapper: Mapper[Any] = inspect(self._model)
        known = key_values(mapper, key)
        query = self
        for column, value in zip(mapper.primary_key, known or (), strict=known is not None):
            query = query.where(mapper.get_property_by_column(column).key, value)
        return None if known is None else query.first()

    def pluck(self, column: Any, key: Any = None) -> Any:
        """Return one column's values as a list, or with `key` as a dictionary by that column."""
        columns = [column_of(self._model, name) for name in (column, key) if name is not None]
        rows = Reading(self._plan).values("pluck", columns)
        return {row[1]: row[0] for row in rows} if key is not None else [row[0] for row in rows]

    def exists(self) -> bool:
        """Return whether any row fits."""
        plan = replace(self._plan, limit=1, orders=())
        return bool(Reading(plan).values("exists", [literal(1)]))

    def count(self) -> Any:
        """Return the number of rows; after `group_by` a dictionary."""
        return Reading(self._plan).aggregate("count", func.count)

    def sum(self, column: Any) -> Any:
        """Return the sum of a column, 0 over no rows; after `group_by` a dictionary."""
        return Reading(self._plan).aggregate("sum", func.sum, column)

    def avg(self, column: Any) -> Any:
        """Return the average of a column, None over no rows; after `group_by` a dictionary."""
        return Reading(self._plan).aggregate("avg", func.avg, column)

    def min(self, column: Any) -> Any:
        """Return the smallest value of a column, None over no rows."""
        return Reading(self._plan).aggregate("min", func.min, column)

    def max(self, column: Any) -> Any:
        """Return the largest value of a column, None over no rows."""
        return Reading(self._plan).aggregate("max", func.max, column)

    def paginate(self, page: int = 1, per_page: int = 20) -> Paginated[M]:
        """Return one page and the total; `page` counts from 1, a smaller one means the first.

        Rows without an order are ordered by the primary key, or pages would overlap.
        """
        size = max(1, _count("per_page", per_page))
        page = max(1, page)
        offset = min((page - 1) * size, _LARGEST)
        total: int = self._with(orders=()).count()
        rows = self._with(orders=self._plan.primary_order(), limit=size, offset=offset)
        return Paginated(rows.get() if offset < total else [], total, page, size)

    def first_or_create(self, defaults: Mapping[str, Any] | None = None, /, **match: Any) -> M:
        """Return the first row with these values, or create it with them and `defaults`.

        Where another process creates it in between (a unique column tells), its row is
        returned.
        """
        return self._first_or_create(match, defaults or {})[0]

    def update_or_create(self, values: Mapping[str, Any] | None = None, /, **match: Any) -> M:
        """Set `values` on the first row with these values, or create it with both."""
        found, created = self._first_or_create(match, values or {})
        if not created and values:
            for name, value in values.items():
                setattr(found, column_name(self._model, name), value)
            with Reading(self._plan).database.work() as work:
                work.persist(found)
        return found

    def _first_or_create(
        self, match: Mapping[str, Any], others: Mapping[str, Any]
    ) -> tuple[M, bool]:
        query = self
        for name, value in match.items():
            query = query.where(name, value)
        found = query.first()
        if found is not None:
            return found, False
        try:
            # In an open transaction this is a savepoint, so that it survives the refusal.
            with Reading(self._plan).database.transaction() as work:
                made = self._model(**{**match, **others})
                work.persist(made)
                return made, True
        except IntegrityError:
            found = query.first()
            if found is None:
                raise
            return found, False

    def update(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> int:
        """Set columns on every row that fits, in one statement; return how many rows.

        A value may be an SQLAlchemy expression: `update(views=Post.views + 1)`.
        """
        wanted = {column_name(self._model, k): v for k, v in {**(values or {}), **more}.items()}
        if not wanted:
            raise ModelError("update() got nothing to set.", fix="Name columns: update(views=0).")
        return self._write(update(self._model).values(wanted), wanted)

    def delete(self) -> int:
        """Delete every row that fits, in one statement; return how many rows."""
        return self._write(delete(self._model), {})

    def _write(self, statement: Any, values: Mapping[str, Any]) -> int:
        if self._plan.sliced or self._plan.groups:
            raise ModelError(
                "update() and delete() can't have a limit, an offset or groups.",
                fix='Give the rows: where_in("id", query.pluck("id")).',
            )
        if (where := self._plan.where) is not None:
            statement = statement.where(where)
        with Reading(self._plan).database.work() as work:
            work.tags.extend(rows_tags(self._model, where, values, work))
            result = cast("CursorResult[Any]", work.execute(statement))
            work.finish()
            return result.rowcount


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ModelError(f"{name} must be a number from 0, and is {value!r}.")
    return value
