"""Rows in the cache: values as JSON and back without loss, and instances made from them."""

from __future__ import annotations

import datetime
import enum
import json
import math
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy.orm import InstanceState, Mapper, Session, attributes

from asok.errors import ModelError

__all__ = ["Layout", "decode", "encode", "instances_of", "layout"]

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


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows of one mapper are stored: names and columns, in one order."""

    names: tuple[str, ...]
    columns: tuple[Any, ...]
    keys: tuple[str, ...]
    kind: str | None


#: Mapper -> its layout: a hit is too fast to find it out each time.
_layouts: WeakKeyDictionary[Mapper[Any], Layout] = WeakKeyDictionary()


def layout(mapper: Mapper[Any]) -> Layout:
    """Return the layout of a mapper's rows."""
    found = _layouts.get(mapper)
    if found is None:
        names = tuple(attribute.key for attribute in mapper.column_attrs)
        keys = tuple(mapper.get_property_by_column(key).key for key in mapper.primary_key)
        kind = mapper.polymorphic_on
        found = _layouts[mapper] = Layout(
            names,
            tuple(getattr(mapper.class_, name) for name in names),
            keys,
            None if kind is None else mapper.get_property_by_column(kind).key,
        )
    return found


def instances_of(
    mapper: Mapper[Any], rows: Iterable[Sequence[Any]], session: Session | None
) -> list[Any]:
    """Return the instances of rows in the `layout` of a mapper, without asking the database.

    In a `session` the instance that it has of a row already wins, as in every query;
    otherwise the new one joins it, so that its relations can be loaded.
    """
    known = layout(mapper)
    made: list[Any] = []
    for row in rows:
        values = dict(zip(known.names, row, strict=True))
        actual = mapper
        if known.kind is not None:
            actual = mapper.polymorphic_map.get(values[known.kind], mapper)
        identity = actual.identity_key_from_primary_key(tuple([values[key] for key in known.keys]))
        existing = None if session is None else session.identity_map.get(identity)
        made.append(_new(actual, identity, values, session) if existing is None else existing)
    return made


def _new(
    mapper: Mapper[Any], identity: Any, values: dict[str, Any], session: Session | None
) -> Any:
    """Make an instance as SQLAlchemy's loader does (2.1, `orm.loading._instance`).

    `make_transient_to_detached` and `Session.add` do the same with checks for instances that
    may have had another life, at ten times the cost.
    """
    manager: Any = mapper.class_manager
    instance: Any = manager.new_instance()
    state: InstanceState[Any] = attributes.instance_state(instance)
    state.key = identity
    # Set past the attributes' events: these are the committed values, nothing of it a change.
    attributes.instance_dict(instance).update(values)
    if len(values) < len(mapper.column_attrs):  # a subclass: the rest is loaded when it is used
        state.expired_attributes.update(
            column.key for column in mapper.column_attrs if column.key not in values
        )
    if session is not None:
        state.session_id = session.hash_key
        session.identity_map.add(state)
    if manager.dispatch.load:
        manager.dispatch.load(state, None)
    return instance
