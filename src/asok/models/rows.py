"""Rows in the cache: values as JSON and back without loss, and instances made from them."""

from __future__ import annotations

import datetime
import enum
import json
import math
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, cast

from sqlalchemy.orm import Mapper, Session, attributes, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from asok.errors import ModelError

__all__ = ["decode", "encode", "instances_of"]

#: Value type -> its tag and its text. Subclasses come first (a datetime is a date).
_TEXT: tuple[tuple[type[Any], str, Callable[[Any], str]], ...] = (
    (datetime.datetime, "datetime", datetime.datetime.isoformat),
    (datetime.date, "date", datetime.date.isoformat),
    (datetime.time, "time", datetime.time.isoformat),
    (Decimal, "decimal", str),
    (uuid.UUID, "uuid", str),
    (bytes, "bytes", lambda value: b64encode(value).decode("ascii")),
)
_BACK: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "bytes": b64decode,
    "float": float,
    "timedelta": lambda parts: datetime.timedelta(*parts),
    "json": lambda value: value,
}


def encode(value: Any) -> Any:
    """Return a column's value as JSON types; anything but null, true, number and text is tagged.

    Raises `ModelError` for a type that would not come back as it went in.
    """
    if isinstance(value, enum.Enum):
        return ["enum", value.name]
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else ["float", str(value)]
    if isinstance(value, datetime.timedelta):
        return ["timedelta", [value.days, value.seconds, value.microseconds]]
    for kind, tag, text in _TEXT:
        if isinstance(value, kind):
            return [tag, text(value)]
    if type(value) in (list, dict):
        whole: Any = value
        try:
            same = json.loads(json.dumps(whole, allow_nan=False)) == whole
        except (TypeError, ValueError):
            same = False
        if same:
            return ["json", whole]
    raise ModelError(
        f"a cached query returned a {type(value).__name__}, which the cache can't give back "
        "as it was.",
        fix="Leave .cache() out of this query, or pluck() the columns that it needs.",
    )


def decode(value: Any, column: Any = None) -> Any:
    """Undo `encode`; `column` tells the class of an enumeration."""
    if type(value) is not list:
        return value
    tag, content = cast("list[Any]", value)
    if tag == "enum":
        return column.type.enum_class[content]
    return _BACK[tag](content)


def instances_of(
    mapper: Mapper[Any], rows: Iterable[Sequence[Any]], session: Session | None
) -> list[Any]:
    """Return the instances of rows of `mapper.column_attrs`, without asking the database.

    In a `session` the instance that it has of a row already wins, as in every query;
    otherwise the new one joins it, so that its relations can be loaded.
    """
    names = [attribute.key for attribute in mapper.column_attrs]
    keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    kind = mapper.polymorphic_on
    kind_name = None if kind is None else mapper.get_property_by_column(kind).key
    made: list[Any] = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        actual = mapper
        if kind_name is not None:
            actual = mapper.polymorphic_map.get(values[kind_name], mapper)
        if session is not None:
            identity = identity_key(actual.class_, [values[key] for key in keys])
            existing = session.identity_map.get(identity)
            if existing is not None:
                made.append(existing)
                continue
        instance = actual.class_manager.new_instance()
        # What a loader does: the values are the committed state, nothing of it a change.
        attributes.instance_dict(instance).update(values)
        make_transient_to_detached(instance)
        if session is not None:
            session.add(instance)
        made.append(instance)
    return made
