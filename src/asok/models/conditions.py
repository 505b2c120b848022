"""Conditions of queries: columns by name, operators by name, values always bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

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
    "is_expression",
    "is_sql",
]


def is_sql(value: Any) -> bool:
    """Whether a value is one of SQLAlchemy's constructs (or an attribute like `Post.views`)."""
    if isinstance(value, _VALUES):  # the usual case, in which nothing has to be looked up
        return False
    return isinstance(value, ClauseElement) or hasattr(value, "__clause_element__")


#: Types of which no value is SQL.
_VALUES: Final = (str, int, float, type(None), tuple, list)


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
    "contains": lambda column, value: column.contains(value, autoescape=True),
    "not contains": lambda column, value: ~column.contains(value, autoescape=True),
    "starts with": lambda column, value: column.startswith(value, autoescape=True),
    "ends with": lambda column, value: column.endswith(value, autoescape=True),
    "in": lambda column, value: column.in_(value),
    "not in": lambda column, value: column.not_in(value),
    "between": lambda column, value: column.between(*value),
    "not between": lambda column, value: ~column.between(*value),
}
_OF_MANY = frozenset({"in", "not in", "between", "not between"})
_ORDERED = frozenset({"<", "<=", ">", ">="})
_OF_TEXT = frozenset({"contains", "not contains", "starts with", "ends with"})


def column_name(model: type[Any], column: Any) -> str:
    """Return a column's attribute name, given by name or as `Post.views`.

    Raises `UnknownColumn` with the nearest name. The name may come from a visitor
    (`?sort=…`): it is looked up, never put into SQL.
    """
    mapper: Mapper[Any] = inspect(model)
    if isinstance(column, InstrumentedAttribute):
        column = _own(model, cast("InstrumentedAttribute[Any]", column))
    if not isinstance(column, str):
        raise UnknownColumn(
            f"a column of {model.__name__} was named by a {type(column).__name__}.",
            fix=f'Name it as text or as an attribute: "id", {model.__name__}.id.',
        )
    if column not in mapper.column_attrs:
        if column in mapper.relationships:
            raise UnknownColumn(
                f"{model.__name__}.{column} is a relation and no column.",
                fix=f"Compare it by SQLAlchemy: where({model.__name__}.{column} == row), "
                f"where({model.__name__}.{column}.has(…)) or .any(…).",
            )
        names = [attribute.key for attribute in mapper.column_attrs]
        raise UnknownColumn(
            f"{model.__name__} has no column {column!r}.", fix=suggest(column, names)
        )
    return column


def _own(model: type[Any], attribute: InstrumentedAttribute[Any]) -> str:
    """Return the name of an attribute of this very model. Raises `UnknownColumn`."""
    owner = cast("type[Any]", attribute.class_)
    if not issubclass(model, owner):
        name = attribute.key
        # Said by name it would mean another column, or none.
        raise UnknownColumn(
            f"{owner.__name__}.{name} is no column of {model.__name__}.",
            fix="Ask for it by the relation between the two: "
            f"where({model.__name__}.relation.has({owner.__name__}.{name} == value)).",
        )
    return attribute.key


def column_of(model: type[Any], column: Any) -> Any:
    """Return the mapped attribute of a column, given by name or as `Post.views`.

    Another construct of SQLAlchemy (`func.lower(Post.title)`) is returned as it is.
    """
    if is_expression(column):
        return column
    return getattr(model, column_name(model, column))


def is_expression(value: Any) -> bool:
    """Whether a value is SQL that is more than one column: `func.lower(Post.title)`."""
    return is_sql(value) and not isinstance(value, InstrumentedAttribute)


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
    if is_expression(column):
        return OPERATORS[known](column, _check(known, value, named=str(column)))
    name = column_name(model, column)
    if is_sql(value):
        return OPERATORS[known](getattr(model, name), _check(known, value, named=name))
    return Condition(name, known, _check(known, value, named=name))


def _check(known: str, value: Any, *, named: str) -> Any:
    """Return a value as its operator needs it. Raises `ModelError` where it makes no sense."""
    if is_sql(value) and known not in _OF_TEXT:
        return value
    if known in _OF_MANY:
        return _many(named, known, value)
    if known in _OF_TEXT and not isinstance(value, str):
        raise ModelError(
            f"where({named!r}, {known!r}, …) needs text and got a {type(value).__name__}."
        )
    if value is None and known in _ORDERED:
        raise ModelError(
            f"where({named!r}, {known!r}, None) is never true: NULL has no order.",
            fix=f"Use where_null({named!r}) or where_not_null({named!r}).",
        )
    if isinstance(value, list | tuple | set | frozenset) and known in ("=", "==", "!=", "<>"):
        # A column that holds lists (JSON) is compared through SQLAlchemy's own constructs.
        raise ModelError(
            f"where({named!r}, {known!r}, …) compares with one value and got a "
            f"{type(cast('object', value)).__name__}.",
            fix=f"Use where_in({named!r}, values).",
        )
    return cast("Any", value)


def _many(named: str, operator: str, value: Any) -> Any:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ModelError(
            f"{operator!r} on {named} needs several values and got {type(value).__name__}.",
            fix=f"Give a list: where_in({named!r}, [value]).",
        )
    values = tuple(cast("Iterable[Any]", value))
    if operator.endswith("between") and len(values) != 2:
        raise ModelError(f"{operator!r} on {named} needs two values and got {len(values)}.")
    return values


def build(model: type[Any], node: Node) -> ColumnElement[bool]:
    """Return a condition as an SQLAlchemy expression."""
    if isinstance(node, Condition):
        return OPERATORS[node.operator](getattr(model, node.column), node.value)
    return node
