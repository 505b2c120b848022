"""What a model class need not say: its table's name and its key; and what it must not say."""

from __future__ import annotations

import inspect as python
from typing import Any, ClassVar, cast, get_origin

from sqlalchemy import Column
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from asok.errors import ModelError
from asok.models.fields import INTEGER
from asok.models.naming import table_name

__all__ = ["check_annotations", "complete"]


def check_annotations(cls: type[Any]) -> None:
    """Refuse `title: str`, which SQLAlchemy would pass over without a word."""
    try:
        annotations = python.get_annotations(cls)
    except NameError:  # a name that only type checkers import
        return
    for name, annotation in annotations.items():
        text = annotation if isinstance(annotation, str) else ""
        mapped = text.partition("[")[0].rpartition(".")[2] if text else get_origin(annotation)
        if name.startswith("_") or mapped in ("ClassVar", ClassVar):
            continue
        plain = annotation in (str, int, float, bool, bytes) or text in _PLAIN
        if plain:
            shown = text or cast("type", annotation).__name__
            raise ModelError(
                f"{cls.__name__}.{name} is annotated as {shown}, which makes no column.",
                fix=f"Write {name}: Mapped[{shown}] (from asok.models import Mapped).",
            )


_PLAIN = frozenset(
    whole
    for name in ("str", "int", "float", "bool", "bytes", "datetime", "date", "Decimal")
    for whole in (name, f"{name} | None", f"Optional[{name}]")
)


def complete(cls: type[Any], root: type[DeclarativeBase]) -> None:
    """Give a model its table's name and its key, where it says nothing about them."""
    parents = [base for base in cls.__mro__[1:] if base is not root and issubclass(base, root)]
    if any("__mapper__" in vars(base) for base in parents):
        return  # SQLAlchemy's inheritance: the parent's table, or one that the class declares
    given: dict[str, Any] = {}
    for base in cls.__mro__:
        if base is not root and base is not DeclarativeBase:
            given = {**vars(base), **given}
    if "__tablename__" not in given and "__table__" not in given:
        cls.__tablename__ = table_name(cls.__name__)
    if "__table__" not in given and not any(_is_key(value) for value in given.values()):
        cls.id = mapped_column(INTEGER, primary_key=True, sort_order=-1)


def _is_key(value: Any) -> bool:
    if isinstance(value, MappedColumn):
        return cast("MappedColumn[Any]", value).column.primary_key
    return isinstance(value, Column) and cast("Column[Any]", value).primary_key
