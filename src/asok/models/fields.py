"""Columns of models: `field(...)`, the types that annotations stand for, and timestamps."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    Numeric,
    String,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column
from sqlalchemy.types import TypeEngine

from asok.errors import ModelError

__all__ = ["INTEGER", "TYPES", "Timestamps", "UtcDateTime", "field", "is_hidden", "now"]

HIDDEN = "asok.hidden"

#: 64 bits everywhere: SQLite's INTEGER has them (and alone makes a self-counting key).
INTEGER = BigInteger().with_variant(Integer(), "sqlite")
_JSON = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """A moment: aware and in UTC when it is read, whatever the database keeps.

    A naive value is taken to be UTC already.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime.datetime | None, dialect: Dialect
    ) -> datetime.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=datetime.UTC)
        return value.astimezone(datetime.UTC)

    def process_result_value(
        self, value: datetime.datetime | None, dialect: Dialect
    ) -> datetime.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:  # SQLite keeps no zone
            return value.replace(tzinfo=datetime.UTC)
        return value.astimezone(datetime.UTC)


#: What an annotation stands for where SQLAlchemy's own choice is not used.
TYPES: dict[Any, TypeEngine[Any]] = {
    int: INTEGER,
    datetime.datetime: UtcDateTime(),
    dict: _JSON,
    list: _JSON,
    dict[str, Any]: _JSON,
    dict[str, str]: _JSON,
    list[Any]: _JSON,
    list[str]: _JSON,
    list[int]: _JSON,
}


def now() -> datetime.datetime:
    """Return the current moment, aware, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def field(
    type_: TypeEngine[Any] | type[TypeEngine[Any]] | None = None,
    *,
    primary_key: bool = False,
    unique: bool = False,
    index: bool = False,
    nullable: bool | None = None,
    default: Any = None,
    default_factory: Callable[[], Any] | None = None,
    on_update: Callable[[], Any] | None = None,
    max_length: int | None = None,
    precision: int | None = None,
    scale: int | None = None,
    foreign_key: str | None = None,
    on_delete: str | None = None,
    column: str | None = None,
    hidden: bool = False,
    comment: str | None = None,
) -> MappedColumn[Any]:
    """Describe a column: `slug: Mapped[str] = field(unique=True)`.

    The type comes from the annotation (`Mapped[str | None]` may be NULL) unless `type_`, an
    SQLAlchemy type, is given. `default` is a value, also known to the database, so that a
    migration can add the column to a table with rows; `default_factory` and `on_update` are
    called without arguments for a new or changed row. `max_length` is for text, `precision`
    and `scale` for decimals. `foreign_key` is `"authors.id"`, with `on_delete` `"cascade"`,
    `"set null"` or `"restrict"`. `column` is the name in the database where it differs.
    `hidden` keeps the column out of `to_dict()` (password hashes). Raises `ModelError` for
    options that contradict each other. Everything else: SQLAlchemy's `mapped_column`.
    """
    if default is not None and default_factory is not None:
        raise ModelError("field() got default and default_factory.", fix="Give one of them.")
    if isinstance(default, list | dict | set):
        raise ModelError(
            f"field(default={default!r}) would be shared by all rows.",
            fix=f"Give a callable: default_factory={type(default).__name__}.",  # pyright: ignore[reportUnknownArgumentType]
        )
    if callable(default):
        raise ModelError(
            "field(default=…) got something that can be called.",
            fix="Give it as default_factory=…, or call it once: default=…().",
        )
    if on_delete is not None and foreign_key is None:
        raise ModelError("field(on_delete=…) needs foreign_key=….")
    if sum((type_ is not None, max_length is not None, precision is not None)) > 1:
        raise ModelError(
            "field() got several of type, max_length and precision.", fix="Give one of them."
        )
    if max_length is not None:
        type_ = String(max_length)
    elif precision is not None:
        type_ = Numeric(precision, scale)
    options: dict[str, Any] = {"info": {HIDDEN: True}} if hidden else {}
    if nullable is not None:
        options["nullable"] = nullable
    if default_factory is not None:
        options["default"] = default_factory
    elif default is not None:
        options["default"] = default
        if isinstance(default, bool | int | float | str):
            # As text, which every database converts: SQLite has no booleans, PostgreSQL
            # takes no number for one.
            options["server_default"] = str(int(default) if isinstance(default, bool) else default)
    if primary_key:
        options["sort_order"] = -1
    positional: list[Any] = [] if column is None else [column]
    if type_ is not None:
        positional.append(type_)
    if foreign_key is not None:
        rule = None if on_delete is None else on_delete.upper()
        positional.append(ForeignKey(foreign_key, ondelete=rule))
    return mapped_column(
        *positional,
        primary_key=primary_key,
        unique=unique or None,
        index=index or None,
        onupdate=on_update,
        comment=comment,
        **options,
    )


def is_hidden(info: dict[Any, Any]) -> bool:
    """Whether a column's `info` says that `to_dict()` leaves it out."""
    return bool(info.get(HIDDEN))


class Timestamps:
    """`class Post(Timestamps, Model)`: when a row was made and last changed, in UTC."""

    created_at: Mapped[datetime.datetime] = mapped_column(
        UtcDateTime(), default=now, sort_order=1_000
    )
    updated_at: Mapped[datetime.datetime] = mapped_column(
        UtcDateTime(), default=now, onupdate=now, sort_order=1_001
    )
