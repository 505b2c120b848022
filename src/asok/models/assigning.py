"""Setting columns and relations of a row by name, checked before the first is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper

from asok.errors import UnknownColumn
from asok.models.naming import suggest

__all__ = ["assign", "unknown_column"]


def unknown_column(model: type[Any], name: str) -> UnknownColumn:
    """Return the error for a name that a model doesn't have, with the nearest one."""
    mapper: Mapper[Any] = inspect(model)
    known = mapper.all_orm_descriptors
    names = [key for key in known.keys() if key[0] != "_"]  # noqa: SIM118  it iterates values
    return UnknownColumn(f"{model.__name__} has no column {name!r}.", fix=suggest(name, names))


def assign(instance: object, values: Mapping[str, Any]) -> None:
    """Set attributes by name. Raises `UnknownColumn` before any is set."""
    mapper: Mapper[Any] = inspect(type(instance))
    known = mapper.all_orm_descriptors
    for name in values:
        if name not in known:
            raise unknown_column(type(instance), name)
    for name, value in values.items():
        setattr(instance, name, value)
