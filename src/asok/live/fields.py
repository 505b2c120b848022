"""The fields of a component class: found among its attributes, with types that JSON carries."""

from __future__ import annotations

import copy
import inspect
import re
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from asok.errors import ComponentError
from asok.live.records import is_record

__all__ = ["Field", "fields_of", "type_name", "where"]

_MISSING: Final = object()
#: Public class attributes that are no state.
SETTINGS: Final = frozenset({"subscriptions"})
#: Types of defaults that may be shared between instances.
_IMMUTABLE: Final = (bool, int, float, str, bytes, type(None))
#: What an unannotated default says about a field. A number that starts as 0 may well become
#: 0.5; whoever wants it strict writes the annotation.
_INFERRED: Final[dict[type, Any]] = {
    bool: bool,
    int: int | float,
    float: int | float,
    str: str,
    type(None): Any,
    list: list[Any],
    dict: dict[str, Any],
    set: set[Any],
    frozenset: frozenset[Any],
    tuple: tuple[Any, ...],
}


def where(cls: type, name: str = "") -> dict[str, Any]:
    """Return `file` and `line` of a class's source for an error, as far as they are known.

    With a `name`, the line where the class, or the one it has it from, writes that.
    """
    owner = next((one for one in cls.__mro__ if name in _names(one)), cls) if name else cls
    try:
        lines, first = inspect.getsourcelines(owner)
        file = Path(inspect.getfile(owner))
    except (OSError, TypeError):
        return {}
    written = re.compile(rf"\s+(?:(?:async )?def )?{re.escape(name)}\s*[:=(\[]")
    for number, line in enumerate(lines if name else ()):
        if written.match(line):
            return {"file": file, "line": first + number}
    return {"file": file, "line": first}


def _names(cls: type) -> set[str]:
    return {*vars(cls), *_own_annotations(cls)}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its type and the default, of which each instance gets a copy."""

    name: str
    type: Any
    default: Any
    loose: bool
    """Whether the type says nothing about (parts of) the value, so that it has to be compared
    after a round trip."""
    holds_records: bool = False
    """Whether there are rows of the database in it."""

    @property
    def required(self) -> bool:
        """Whether the constructor must be given a value."""
        return self.default is _MISSING

    def fresh(self) -> Any:
        """Return the default for a new instance."""
        if isinstance(self.default, _IMMUTABLE):
            return self.default
        return copy.deepcopy(self.default)

    def copy(self, value: Any) -> Any:
        """Return a value for an instance of its own; a row is one for all."""
        return value if self.holds_records else copy.deepcopy(value)


def fields_of(cls: type, base: type) -> Iterable[Field]:
    """Find the fields of `cls` in the order of their definition, base classes first."""
    annotations = _annotations(cls)
    chain = [one for one in reversed(cls.__mro__) if issubclass(one, base) and one is not base]
    reserved = {name for name in dir(base) if not name.startswith("_")}
    found: dict[str, Field] = {}
    for one in chain:
        own = vars(one)
        for name in {**_own_annotations(one), **own}:
            if name.startswith("_") or name in SETTINGS:
                continue
            default = own.get(name, _MISSING)
            wanted = annotations.get(name, _MISSING) if name in _own_annotations(one) else None
            if _is_no_state(default) or _is_constant(wanted):
                found.pop(name, None)
                continue
            if name in reserved:
                raise ComponentError(
                    f"{cls.__name__}.{name} would hide what every component has under that name.",
                    fix=f"Rename it; taken are: {', '.join(sorted(reserved))}.",
                    **where(one, name),
                )
            if wanted is None:
                inherited = found.get(name)
                wanted = inherited.type if inherited else _inferred(default)
            if default is _MISSING and name in found:
                default = found[name].default
            loose, records = _check_type(cls, name, wanted)
            found[name] = Field(name, wanted, default, loose, records)
    return found.values()


def _own_annotations(cls: type) -> dict[str, Any]:
    return inspect.get_annotations(cls)


def _annotations(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        raise ComponentError(
            f"an annotation of component {cls.__name__} can't be read: {error}.",
            fix="Import the type at run time, not under TYPE_CHECKING.",
            **where(cls),
        ) from error


def _is_no_state(value: Any) -> bool:
    """Methods, properties and other descriptors, nested classes, modules."""
    return isinstance(value, type | types.ModuleType) or callable(getattr(value, "__get__", None))


def _is_constant(wanted: Any) -> bool:
    return (
        wanted is ClassVar
        or typing.get_origin(wanted) in (ClassVar, typing.Final)
        or (wanted is typing.Final)
    )


def _inferred(default: Any) -> Any:
    kind: Any = default.__class__
    return _INFERRED.get(kind, kind)


def _check_type(cls: type, name: str, wanted: Any) -> tuple[bool, bool]:
    """Whether `wanted` is loose, and whether it holds rows.

    Raises `ComponentError` for a type that JSON can't carry.
    """
    try:
        described = msgspec.inspect.type_info(wanted)
    except TypeError as error:
        raise _unfit(cls, name, wanted, str(error)) from error
    loose = records = False
    for one in _parts(described):
        if isinstance(one, msgspec.inspect.CustomType) and not is_record(one.cls):
            raise _unfit(cls, name, wanted, f"{type_name(one.cls)} has no JSON form")
        loose = loose or isinstance(one, msgspec.inspect.AnyType)
        records = records or isinstance(one, msgspec.inspect.CustomType)
    return loose, records


def _parts(described: msgspec.inspect.Type) -> Iterable[msgspec.inspect.Type]:
    """A described type and everything within it, each once."""
    pending: list[Any] = [described]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if isinstance(one, msgspec.inspect.Field):
            pending.append(one.type)
        elif isinstance(one, msgspec.inspect.Type):
            if id(one) in seen:
                continue
            seen.add(id(one))
            yield one
            for attribute in ("fields", "types", "item_types"):
                pending.extend(getattr(one, attribute, ()))
            inner = ("type", "item_type", "key_type", "value_type")
            pending.extend(getattr(one, attribute, None) for attribute in inner)


def _unfit(cls: type, name: str, wanted: Any, reason: str) -> ComponentError:
    return ComponentError(
        f"{cls.__name__}.{name} is of type {type_name(wanted)}, which can't be kept: {reason}.",
        fix="Use JSON types, datetime, Decimal, UUID, enum, tuple, set or dataclass; keep the "
        f"key of a database row instead of the row; or call it _{name}, which is no state.",
        **where(cls, name),
    )


def type_name(wanted: Any) -> str:
    if isinstance(wanted, type) and not isinstance(wanted, types.GenericAlias):
        return wanted.__name__
    return str(wanted).replace("typing.", "")
