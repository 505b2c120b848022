"""Primary keys as callers give them: one value or a tuple, often text from a URL."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ColumnElement, inspect
from sqlalchemy.orm import Mapper

from asok.errors import ModelError

__all__ = ["key_of", "key_values"]


def key_values(mapper: Mapper[Any], key: Any) -> tuple[Any, ...] | None:
    """Return the values of `key`, one for each column of the primary key.

    None where no row can have this key: text that is no number, or a number beyond 64 bits,
    for a column of numbers. Raises `ModelError` for the wrong number of values.
    """
    values: tuple[Any, ...] = cast("Any", key) if isinstance(key, tuple) else (key,)
    if len(values) != len(mapper.primary_key):
        names = ", ".join(str(column.name) for column in mapper.primary_key)
        raise ModelError(
            f"the key of {mapper.class_.__name__} is ({names}), and find() got {key!r}."
        )
    known = tuple(
        _value(column, value) for column, value in zip(mapper.primary_key, values, strict=True)
    )
    return None if None in known else known


def key_of(record: Any) -> tuple[Any, ...] | None:
    """Return the primary key of a row, one value for each column; None before it was saved."""
    identity: Any = inspect(record).identity
    return None if identity is None else tuple(identity)


def _value(column: ColumnElement[Any], value: Any) -> Any:
    try:
        numeric = column.type.python_type is int
    except NotImplementedError:  # a type that doesn't say
        return value
    if not numeric:
        return value
    if isinstance(value, str):
        # Not int(): that takes " 1 ", "1_0" and other scripts' digits, each a second URL.
        value = int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return None
    return value
