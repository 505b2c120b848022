"""What a query selects: conditions, order, limits and groups by name; and nothing that runs.

A selection never changes: every method returns a new one. Wherever a column or condition is
taken by name, SQLAlchemy's own constructs (`Post.views > 3`, `func.lower(Post.title)`) are
taken as well.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy import Select, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from asok.errors import ModelError
from asok.models.conditions import column_name, condition, is_expression
from asok.models.plan import Plan, order
from asok.models.query_cache import seconds
from asok.models.related import eager

__all__ = ["LARGEST", "Selection", "checked_count"]

M = TypeVar("M", bound=DeclarativeBase)

#: Rows that OFFSET can pass over in SQLite and PostgreSQL (a signed 64-bit number).
LARGEST: Final = 2**63 - 1


class Selection(Generic[M]):
    """Some rows of one model, by what they have in common."""

    def __init__(self, model: type[M], plan: Plan | None = None) -> None:
        self._model = model
        self._plan = plan if plan is not None else Plan(model)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.statement}>"

    def _with(self, **changes: Any) -> Self:
        return type(self)(self._model, self._plan.replaced(**changes))

    @property
    def statement(self) -> Select[M]:
        """The query as an SQLAlchemy SELECT, to go on with by its own means."""
        return self._plan.rows

    def where(self, *arguments: Any) -> Self:
        """AND a condition: `("slug", slug)`, `("views", ">", 3)`, or an SQLAlchemy expression.

        Operators: = != < <= > >= like ilike in between is contains, and not … of these words;
        "starts with", "ends with". None asks for NULL. Raises `UnknownColumn` or
        `UnknownOperator` with the nearest name.
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
        """AND: the column matches a pattern of LIKE (`%` any text, `_` one character).

        A visitor's text may hold such characters: `where("title", "contains", text)`.
        """
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
        return self._with(limit=checked_count("limit", rows))

    def offset(self, rows: int) -> Self:
        """Pass over this many rows first."""
        return self._with(offset=checked_count("offset", rows))

    def group_by(self, *columns: Any) -> Self:
        """Group by columns; then `count`, `sum`, `avg`, `min`, `max` return a dictionary.

        `Post.query().group_by("status").count()` -> `{"draft": 2, "public": 5}`; with several
        columns the keys are tuples.
        """
        names = tuple(
            column if is_expression(column) else column_name(self._model, column)
            for column in columns
        )
        return self._with(groups=(*self._plan.groups, *names))

    def having(self, *arguments: Any) -> Self:
        """AND a condition of groups, in the forms of `where`: `having(func.count(), ">", 3)`."""
        node = condition(self._model, arguments)
        return self._with(havings=(*self._plan.havings, node))

    def with_(self, *relations: Any) -> Self:
        """Load relations together with the rows: `"author"`, `"comments.author"`."""
        found = tuple(eager(self._model, relation) for relation in relations)
        return self._with(eager=(*self._plan.eager, *found))

    def cache(
        self, ttl: float | timedelta | None, *, stale: float | timedelta | None = None
    ) -> Self:
        """Answer from the cache for `ttl` seconds (None: until a table in it is written).

        Relations that were asked for by `with_` are stored with the rows. A hit uses no
        connection. Inside `transaction()` the database is asked. With 0 or less nothing is
        stored. For `stale` seconds after `ttl` the old answer is still given while one thread
        asks the database anew; never after a write.
        """
        return self._with(cached=True, ttl=seconds(ttl), stale=seconds(stale))


def checked_count(name: str, value: Any) -> int:
    """Return a number of rows. Raises `ModelError` for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise ModelError(f"{name} must be a number from 0, and is {value!r}.")
    return value
