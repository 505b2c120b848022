"""Conditions of queries: columns by name, operators by name, values always bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from sqlalchemy import ColumnElement, inspect
from sqlalchemy.orm import InstrumentedAttribute, Mapper
from sqlalchemy.sql.elements import ClauseElement

from asok.errors import ModelError, UnknownColumn, UnknownOperator
from asok.models.naming import suggest

__all__ = [
    "OPERATORS",
    "Condition",
    "Node",
    "build",
    "column_name",
    "column_of",
    "condition",
    "is_sql",
]


def is_sql(value: Any) -> bool:
    """Whether a value is one of SQLAlchemy's constructs (or an attribute like `Post.views`)."""
    return isinstance(value, ClauseElement) or hasattr(value, "__clause_element__")


@dataclass(frozen=True, slots=True)
class Condition:
    """`column operator value`, by names; becomes SQL when the query runs."""

    column: str
    operator: str
    value: Any

    @property
    def shape(self) -> tuple[Any, ...]:
        """What the SQL text depends on; with the value it is the whole condition."""
        if self.operator in _OF_MANY:
            return self.column, self.operator, len(self.value)
        return self.column, self.operator, self.value is None


#: One part of a query's conditions: ours, or any SQLAlchemy expression.
Node: TypeAlias = "Condition | ColumnElement[bool]"

_Build: TypeAlias = "Callable[[InstrumentedAttribute[Any], Any], ColumnElement[bool]]"


def _equal(column: InstrumentedAttribute[Any], value: Any) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _unequal(column: InstrumentedAttribute[Any], value: Any) -> ColumnElement[bool]:
    return column.is_not(None) if value is None else column != value


#: Operator -> how it is said in SQLAlchemy. Comparing with None asks for NULL.
OPERATORS: dict[str, _Build] = {
    "=": _equal,
    "==": _equal,
    "!=": _unequal,
    "<>": _unequal,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "is": _equal,
    "is not": _unequal,
    "like": lambda column, value: column.like(value),
    "not like": lambda column, value: column.not_like(value),
    "ilike": lambda column, value: column.ilike(value),
    "not ilike": lambda column, value: column.not_ilike(value),
    "in": lambda column, value: column.in_(value),
    "not in": lambda column, value: column.not_in(value),
    "between": lambda column, value: column.between(*value),
    "not between": lambda column, value: ~column.between(*value),
}
_OF_MANY = frozenset({"in", "not in", "between", "not between"})
_ORDERED = frozenset({"<", "<=", ">", ">="})


def column_name(model: type[Any], column: Any) -> str:
    """Return a column's attribute name, given by name or as `Post.views`.

    Raises `UnknownColumn` with the nearest name. The name may come from a visitor
    (`?sort=…`): it is looked up, never put into SQL.
    """
    mapper: Mapper[Any] = inspect(model)
    if isinstance(column, InstrumentedAttribute):
        return column.key
    if not isinstance(column, str):
        raise UnknownColumn(
            f"a column of {model.__name__} was named by a {type(column).__name__}.",
            fix=f'Name it as text or as an attribute: "id", {model.__name__}.id.',
        )
    if column not in mapper.column_attrs:
        names = [attribute.key for attribute in mapper.column_attrs]
        raise UnknownColumn(
            f"{model.__name__} has no column {column!r}.", fix=suggest(column, names)
        )
    return column


def column_of(model: type[Any], column: Any) -> InstrumentedAttribute[Any]:
    """Return the mapped attribute of a column, given by name or as `Post.views`."""
    if isinstance(column, InstrumentedAttribute):
        return cast("InstrumentedAttribute[Any]", column)
    return getattr(model, column_name(model, column))


def condition(model: type[Any], arguments: tuple[Any, ...]) -> Node:
    """Return the condition that the arguments of `where` say.

    `(column, value)`, `(column, operator, value)`, or one SQLAlchemy expression.
    """
    if len(arguments) == 1:
        (expression,) = arguments
        if is_sql(expression):
            return cast("ColumnElement[bool]", expression)
        raise ModelError(
            f"where() of {model.__name__} got {expression!r} alone.",
            fix='Give a column and a value, where("slug", slug), a column, an operator and a '
            'value, where("views", ">", 3), or an SQLAlchemy expression.',
        )
    if len(arguments) == 2:
        column, value = arguments
        return _condition(model, column, "=", value)
    if len(arguments) == 3:
        column, operator, value = arguments
        return _condition(model, column, operator, value)
    raise ModelError(
        f"where() of {model.__name__} takes (column, value) or (column, operator, value), "
        f"not {len(arguments)} values."
    )


def _condition(model: type[Any], column: Any, operator: Any, value: Any) -> Node:
    known = " ".join(operator.lower().split()) if isinstance(operator, str) else ""
    if known not in OPERATORS:
        raise UnknownOperator(
            f"{operator!r} is no operator of where().", fix=suggest(str(operator), OPERATORS)
        )
    name = column_name(model, column)
    if is_sql(value):
        return OPERATORS[known](getattr(model, name), value)
    if known in _OF_MANY:
        value = _many(model, name, known, value)
    elif value is None and known in _ORDERED:
        raise ModelError(
            f"where({name!r}, {known!r}, None) is never true: NULL has no order.",
            fix=f"Use where_null({name!r}) or where_not_null({name!r}).",
        )
    elif isinstance(value, list | tuple | set | frozenset) and known in ("=", "==", "!=", "<>"):
        # A column that holds lists (JSON) is compared through SQLAlchemy's own constructs.
        raise ModelError(
            f"where({name!r}, {known!r}, …) compares with one value and got a "
            f"{type(cast('object', value)).__name__}.",
            fix=f"Use where_in({name!r}, values).",
        )
    return Condition(name, known, value)


def _many(model: type[Any], name: str, operator: str, value: Any) -> Any:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ModelError(
            f"{operator!r} on {model.__name__}.{name} needs several values and got "
            f"{type(value).__name__}.",
            fix=f"Give a list: where_in({name!r}, [value]).",
        )
    values = tuple(cast("Iterable[Any]", value))
    if operator.endswith("between") and len(values) != 2:
        raise ModelError(
            f"{operator!r} on {model.__name__}.{name} needs two values and got {len(values)}."
        )
    return values


def build(model: type[Any], node: Node) -> ColumnElement[bool]:
    """Return a condition as an SQLAlchemy expression."""
    if isinstance(node, Condition):
        return OPERATORS[node.operator](getattr(model, node.column), node.value)
    return node
