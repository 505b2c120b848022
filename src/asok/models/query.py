"""`Query`: a selection of rows that can be read, counted, changed and deleted.

Every ending has an async twin, `aget` for `get` and so on, which keeps the event loop free.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import func, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from asok.errors import ModelError, RecordNotFound
from asok.models.conditions import column_of
from asok.models.keys import key_values
from asok.models.paginated import Paginated
from asok.models.query_cache import NotStored
from asok.models.reading import Reading
from asok.models.selection import LARGEST, Selection, checked_count
from asok.models.twin import hop
from asok.models.twin import twin as hopping
from asok.models.writing import Writing

__all__ = ["Query"]

M = TypeVar("M", bound=DeclarativeBase)
Q = TypeVar("Q", bound="Query[Any]")
P = ParamSpec("P")
T = TypeVar("T")


def twin(
    ending: Callable[Concatenate[Q, P], T],
) -> Callable[Concatenate[Q, P], Coroutine[Any, Any, T]]:
    """The same ending for coroutines: in a thread, except for what memory answers at once."""

    @wraps(ending)
    async def call(self: Q, *args: P.args, **kwargs: P.kwargs) -> T:
        stored = self._stored_only()  # pyright: ignore[reportPrivateUsage]
        if stored is not None:
            with suppress(NotStored):
                return ending(stored, *args, **kwargs)
        return await hop(lambda: ending(self, *args, **kwargs))

    call.__name__ = f"a{ending.__name__}"
    call.__qualname__ = f"Query.{call.__name__}"
    return call


class Query(Selection[M]):
    """A query for instances of one model; made by `Post.query()` or `Post.where(...)`."""

    def __iter__(self) -> Iterator[M]:
        return iter(self.get())

    def _stored_only(self) -> Self | None:
        """Return this query as one that is answered from memory or by `NotStored`.

        None where it can't be: it is not cached, or its cache is a disk or a server.
        """
        plan = self._plan
        return self._with(stored_only=True) if plan.cached and Reading(plan).at_once else None

    def _check_rows(self, ending: str) -> None:
        """Raise `ModelError` where groups were asked for, and rows are now."""
        if self._plan.groups or self._plan.havings:
            raise ModelError(
                f"{ending}() of {self._model.__name__} after group_by() has no one row for a "
                "group.",
                fix="End with count(), sum(), avg(), min() or max(), or use .statement.",
            )

    def get(self) -> list[M]:
        """Return all rows as instances."""
        self._check_rows("get")
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
        self._check_rows("pluck")
        columns = [column_of(self._model, name) for name in (column, key) if name is not None]
        rows = Reading(self._plan).values("pluck", columns)
        return {row[1]: row[0] for row in rows} if key is not None else [row[0] for row in rows]

    def exists(self) -> bool:
        """Return whether any row fits."""
        self._check_rows("exists")
        return Reading(self._plan.replaced(limit=1, orders=())).exists()

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
        self._check_rows("paginate")
        size = max(1, checked_count("per_page", per_page))
        if not isinstance(page, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ModelError(
                f"paginate() got the page {page!r}.", fix='Give a number: int(args.get("page", 1)).'
            )
        page = max(1, page)
        offset = min((page - 1) * size, LARGEST)
        total: int = self._with(orders=()).count()
        rows = self._with(orders=self._plan.primary_order(), limit=size, offset=offset)
        return Paginated(rows.get() if offset < total else [], total, page, size)

    def first_or_create(self, defaults: Mapping[str, Any] | None = None, /, **match: Any) -> M:
        """Return the first row with these values, or create it with them and `defaults`.

        Where another process creates it in between (a unique column tells), its row is
        returned.
        """
        found = self._matching(match)
        return Writing(self._plan).first_or_create(found.first, match, defaults or {})[0]

    def update_or_create(self, values: Mapping[str, Any] | None = None, /, **match: Any) -> M:
        """Set `values` on the first row with these values, or create it with both."""
        writing, found = Writing(self._plan), self._matching(match)
        row, created = writing.first_or_create(found.first, match, values or {})
        if not created and values:
            writing.set(row, values)
        return row

    def _matching(self, match: Mapping[str, Any]) -> Query[M]:
        # From the database: what the cache knows may be created or gone by now.
        query = self._with(cached=False, stored_only=False)
        for name, value in match.items():
            query = query.where(name, value)
        return query

    def update(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> int:
        """Set columns on every row that fits, in one statement; return how many rows.

        A value may be an SQLAlchemy expression: `update(views=Post.views + 1)`.
        """
        return Writing(self._plan).update({**(values or {}), **more})

    def delete(self) -> int:
        """Delete every row that fits, in one statement; return how many rows."""
        return Writing(self._plan).delete()

    aget = twin(get)
    aall = twin(all)
    afirst = twin(first)
    afirst_or_fail = twin(first_or_fail)
    afind = twin(find)
    apluck = twin(pluck)
    aexists = twin(exists)
    acount = twin(count)
    asum = twin(sum)
    aavg = twin(avg)
    amin = twin(min)
    amax = twin(max)
    apaginate = twin(paginate)
    afirst_or_create = hopping(first_or_create)
    aupdate_or_create = hopping(update_or_create)
    aupdate = hopping(update)
    adelete = hopping(delete)
