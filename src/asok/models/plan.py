"""What a query asks for, as plain data, and the SQLAlchemy statement that says it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, cast

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from asok.errors import ModelError
from asok.models.conditions import Condition, Node, build, column_name, column_of, is_expression
from asok.models.query_cache import Fingerprint
from asok.models.related import Eager, Paths
from asok.models.rows import layout

__all__ = ["Order", "Plan", "kind_of", "order"]

#: Stands in a `kind` for SQL that is no column of the model.
_EXPRESSION = object()

#: A column's name and whether it descends, or any SQLAlchemy ordering.
Order: TypeAlias = "tuple[str, bool] | ColumnElement[Any]"


def order(model: type[Any], entry: Any) -> Order:
    """Return the order that `"views"`, `"-views"` or an SQLAlchemy construct says."""
    if is_expression(entry):
        return entry
    if isinstance(entry, str):
        return column_name(model, entry.removeprefix("-")), entry.startswith("-")
    return column_name(model, entry), False


def kind_of(column: Any) -> Hashable:
    """Return what a selected column contributes to the `kind` of a fingerprint."""
    return _EXPRESSION if is_expression(column) else column.key


@dataclass(frozen=True)
class Plan:
    """The parts of a query. `alternatives` are joined by OR, the conditions in each by AND."""

    model: type[Any]
    alternatives: tuple[tuple[Node, ...], ...] = ((),)
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    groups: tuple[Any, ...] = ()
    #: Conditions of groups, all of which hold.
    havings: tuple[Node, ...] = ()
    eager: tuple[Eager, ...] = ()
    cached: bool = False
    ttl: float | None = None
    stale: float | None = None
    #: Answered from the cache without waiting, or by `NotStored`.
    stored_only: bool = False

    def replaced(self, **changes: Any) -> Self:
        """Return this plan with other parts: `dataclasses.replace`, in a fifth of its time."""
        plan = object.__new__(type(self))
        plan.__dict__.update(self.__dict__, **changes)
        return plan

    @property
    def sliced(self) -> bool:
        """Whether a limit or an offset applies."""
        return self.limit is not None or self.offset is not None

    @property
    def where(self) -> ColumnElement[bool] | None:
        """All conditions as one expression; None where there are none."""
        parts = [
            and_(true(), *(build(self.model, node) for node in nodes))
            for nodes in self.alternatives
            if nodes
        ]
        # An alternative without conditions is true, and so is the whole.
        if len(parts) < len(self.alternatives):
            return None
        return parts[0] if len(parts) == 1 else or_(*parts)

    def filtered(self, *columns: Any) -> Select[Any]:
        """Return a SELECT of `columns` with the conditions, without order and limits."""
        statement: Select[Any] = cast("Any", select(*columns)).select_from(self.model)
        where = self.where
        return statement if where is None else statement.where(where)

    @property
    def rows(self) -> Select[Any]:
        """The SELECT of the model's rows, and of the relations that are loaded with them."""
        return self.ordered(self.model).options(*(entry.option for entry in self.eager))

    def ordered(self, *columns: Any) -> Select[Any]:
        """Return a SELECT of `columns` with conditions, order and limits."""
        statement = self.filtered(*columns)
        for entry in self.orders:
            if isinstance(entry, tuple):
                name, descending = entry
                column = getattr(self.model, name)
                statement = statement.order_by(column.desc() if descending else column)
            else:
                statement = statement.order_by(entry)
        if self.limit is not None:
            statement = statement.limit(self.limit)
        if self.offset is not None:
            statement = statement.offset(self.offset)
        return statement

    def aggregate(self, function: Any, column: Any = None) -> Select[Any]:
        """Return a SELECT of `function(column)`, one row for each group."""
        arguments: list[Any] = [] if column is None else [column]
        if self.groups:
            keys = [column_of(self.model, name) for name in self.groups]
            if self.sliced:
                raise ModelError("an aggregate over groups can't have a limit or an offset.")
            statement = self.filtered(*keys, function(*arguments)).group_by(*keys)
            return statement.having(*(build(self.model, node) for node in self.havings))
        if self.havings:
            raise ModelError(
                "having() without groups says nothing.", fix="Use where(), or add group_by(…)."
            )
        if self.sliced:
            inner = self.ordered(*(arguments or self.model.__mapper__.primary_key)).subquery()
            return select(function(*(inner.c[:1] if arguments else ()))).select_from(inner)
        return self.filtered(function(*arguments))

    def primary_order(self) -> tuple[Order, ...]:
        """Return the order, or the primary key where none was given: the same rows every time."""
        return self.orders or layout(self.model.__mapper__).oldest_first

    @property
    def paths(self) -> Paths:
        """The names of the relations that are loaded with the rows."""
        return tuple([entry.path for entry in self.eager]) if self.eager else ()

    def fingerprint(self, kind: Sequence[Hashable]) -> Fingerprint | None:
        """Return what the SQL text depends on and the values in it, in order.

        None where SQLAlchemy's constructs take part: then the compiled statement tells.
        `kind` says which of the query's statements is meant.
        """
        if _EXPRESSION in kind or any(is_expression(name) for name in self.groups):
            return None
        shapes: list[Hashable] = [self.model, *kind, self.groups, self.paths, self.limit is None]
        values: list[Any] = [self.limit, self.offset]
        for nodes in (*self.alternatives, self.havings):
            shapes.append(len(nodes))
            for node in nodes:
                if not isinstance(node, Condition):
                    return None
                shapes.append(node.shape)
                values.append(node.value)
        for entry in self.orders:
            if not isinstance(entry, tuple):
                return None
            shapes.append(entry)
        shapes.append(self.offset is None)
        return tuple(shapes), tuple(values)
