"""Rows in the cache: values as a flat tuple, and instances made from them.

What a row holds is stored as the cache stores any value (dates, Decimal, UUID, bytes and JSON
come back exactly, see `asok.cache.values`); members of an enumeration by their names. A tuple
of values that can't be changed is what a cache in memory hands out without copying anything.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from sqlalchemy.orm import InstanceState, Mapper, Session, attributes

from asok.errors import ModelError

__all__ = ["Identities", "Layout", "Table", "instances_of", "layout", "pack", "refusal", "unpack"]

#: Where a model class keeps the layout of its rows: a hit is too fast to find it out each time.
_KEPT: Final = "__asok_layout__"

#: The instances that were made of rows so far, by their identities.
Identities = dict[Any, Any]


#: Rows as they are stored: all values one after the other, and the columns of enumerations.
Table = tuple[tuple[Any, ...], tuple[int, ...]]


def refusal(what: str) -> ModelError:
    """Return the error for a value that would not come back as it went in."""
    return ModelError(
        f"the cache can't give back what a cached query returned: {what}.",
        fix="Leave .cache() out of this query, or pluck() the columns that it needs.",
    )


def pack(rows: Iterable[Sequence[Any]], columns: Sequence[Any]) -> Table:
    """Return rows as they are stored. Raises `ModelError` for an enumeration of unknown class."""
    values = list(chain.from_iterable(rows))
    enums: set[int] = set()
    for place, value in enumerate(values):
        if isinstance(value, enum.Enum):
            column = place % len(columns)
            if column not in enums and _enum_class(columns[column]) is not type(value):
                raise refusal(f"a {type(value).__name__} in a column that is no enumeration")
            enums.add(column)
            values[place] = value.name
    return tuple(values), tuple(sorted(enums))


def unpack(table: Sequence[Any], columns: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Undo `pack`; `columns` tell the classes of enumerations."""
    values, enums = table
    rows: Iterable[Sequence[Any]] = zip(*[iter(values)] * len(columns), strict=True)
    return _named(rows, enums, columns) if enums else rows


def _named(
    rows: Iterable[Sequence[Any]], enums: Sequence[int], columns: Sequence[Any]
) -> Iterable[Sequence[Any]]:
    classes = {place: _enum_class(columns[place]) for place in enums}
    for row in rows:
        values = list(row)
        for place, members in classes.items():
            if values[place] is not None:
                values[place] = members[values[place]]
        yield values


def _enum_class(column: Any) -> Any:
    return getattr(getattr(column, "type", None), "enum_class", None)


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows of one mapper are stored: names and columns, in one order."""

    names: tuple[str, ...]
    columns: tuple[Any, ...]
    #: Where among them the columns of the primary key are, and their order as `Plan` takes it.
    places: tuple[int, ...]
    oldest_first: tuple[tuple[str, bool], ...]
    #: Where the column is that tells the subclass of a row.
    kind: int | None


def layout(mapper: Mapper[Any]) -> Layout:
    """Return the layout of a mapper's rows."""
    found: Layout | None = mapper.class_.__dict__.get(_KEPT)
    if found is None:
        names = tuple(attribute.key for attribute in mapper.column_attrs)
        keys = tuple(mapper.get_property_by_column(key).key for key in mapper.primary_key)
        kind = mapper.polymorphic_on
        found = Layout(
            names,
            tuple(getattr(mapper.class_, name) for name in names),
            tuple(names.index(key) for key in keys),
            tuple((key, False) for key in keys),
            None if kind is None else names.index(mapper.get_property_by_column(kind).key),
        )
        setattr(mapper.class_, _KEPT, found)
    return found


def instances_of(
    mapper: Mapper[Any],
    rows: Iterable[Sequence[Any]],
    session: Session | None,
    made: Identities | None = None,
) -> list[Any]:
    """Return the instances of rows in the `layout` of a mapper, without asking the database.

    In a `session` the instance that it has of a row already wins, as in every query;
    otherwise the new one joins it, so that its relations can be loaded. Without one, one of
    those in `made` does.
    """
    known = layout(mapper)
    identities: Any = made if session is None else session.identity_map
    found: list[Any] = []
    actual = mapper
    for row in rows:
        if known.kind is not None:
            actual = mapper.polymorphic_map.get(row[known.kind], mapper)
        identity = actual.identity_key_from_primary_key(tuple([row[at] for at in known.places]))
        existing = None if identities is None else identities.get(identity)
        if existing is None:
            existing = _new(actual, identity, dict(zip(known.names, row, strict=True)), session)
            if made is not None:
                made[identity] = existing
        found.append(existing)
    return found


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
