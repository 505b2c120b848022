"""The state of a component class: which fields it has, their types, and their JSON.

A field is a public class attribute that is annotated or has a plain default. Everything that
enters (constructor values, a stored state, a field written by `ws-model`) is converted to the
field's type by msgspec, or refused; everything that leaves is checked to come back the same.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from asok.errors import ComponentError, StateError
from asok.live.fields import Field, fields_of, type_name, where
from asok.live.records import encode, load, name_of

__all__ = ["Schema", "from_form", "takes_several", "unsent"]

#: What takes the values of several fields of one name.
_COLLECTIONS = frozenset({list, set, frozenset, tuple})


class Schema:
    """The fields of one component class. Raises `ComponentError` for a class that can't work."""

    def __init__(self, cls: type, base: type) -> None:
        self.cls = cls
        self.name = cls.__name__
        self.fields: dict[str, Field] = {f.name: f for f in fields_of(cls, base)}
        struct = msgspec.defstruct(
            f"{self.name}State", [(f.name, f.type) for f in self.fields.values()]
        )
        self._state = msgspec.json.Decoder(struct, dec_hook=load)
        self._values = {
            f.name: msgspec.json.Decoder(f.type, dec_hook=load) for f in self.fields.values()
        }
        self._loose = [f.name for f in self.fields.values() if f.loose]
        #: Whether there are rows of the database among the fields.
        self.holds_records = any(f.holds_records for f in self.fields.values())
        for field in self.fields.values():
            if not field.required:
                self._check_default(field)
        self.version = self._digest(struct)

    def _digest(self, struct: type) -> str:
        """A digest of the class's name and of its fields' names and types, whatever nests."""
        described = msgspec.json.encode(
            [self.name, msgspec.json.schema(struct, schema_hook=name_of)], order="sorted"
        )
        return blake2b(described, digest_size=9).hexdigest()

    def _check_default(self, field: Field) -> None:
        try:
            self._values[field.name].decode(encode(field.default))
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise ComponentError(
                f"{self.name}.{field.name} starts as {field.default!r}, which its own type does "
                f"not take: {error}.",
                fix="Change the annotation or the default.",
                **where(self.cls, field.name),
            ) from error

    def _unknown(self, name: str) -> ComponentError:
        near = difflib.get_close_matches(name, self.fields, n=1)
        known = ", ".join(self.fields) or "none"
        fix = f"Did you mean {near[0]!r}?" if near else f"It has: {known}."
        return ComponentError(f"component {self.name} has no field {name!r}.", fix=fix)

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Convert constructor values to the fields' types; required ones must be there.

        Raises `ComponentError` for an unknown or missing name, `StateError` for a wrong type.
        """
        result: dict[str, Any] = {}
        for name, value in given.items():
            if name not in self.fields:
                raise self._unknown(name)
            result[name] = self.convert(name, value)
        for field in self.fields.values():
            if field.required and field.name not in result:
                raise ComponentError(
                    f"component {self.name} needs a value for {field.name!r}.",
                    fix=f"Write component({self.name!r}, {field.name}=…), or give the field a "
                    "default in the class.",
                )
        return result

    def convert(self, name: str, value: Any) -> Any:
        """Return `value` as the field's type, by way of JSON, so that what works here works
        after a reload too. Raises `StateError`."""
        try:
            decoded = self._values[name].decode(encode(value))
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
            raise self._refused(name, value, error) from error
        if name in self._loose and decoded != value:
            raise self._refused(name, value, None)
        return decoded

    def write(self, name: str, value: Any) -> Any:
        """Return what a form field sent (text, a boolean, a list of texts) as the field's type.

        Unlike `convert` it reads numbers and dates from text. Raises `StateError`.
        """
        try:
            return from_form(value, self.fields[name].type)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise self._refused(name, value, error) from error

    def starting(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state that a new instance starts with: converted values over defaults."""
        return {
            f.name: f.copy(values[f.name]) if f.name in values else f.fresh()
            for f in self.fields.values()
        }

    def read(self, component: object) -> dict[str, Any]:
        """Return the fields of an instance as they are."""
        return {name: getattr(component, name) for name in self.fields}

    def changed(self, before: Mapping[str, Any], component: object) -> set[str]:
        """Return the fields that are not as they were; a row is another one by its key."""
        now = self.read(component)
        return {
            name
            for name, field in self.fields.items()
            if now[name] != before[name]
            and not (field.holds_records and encode(now[name]) == encode(before[name]))
        }

    def encode(self, state: Mapping[str, Any]) -> bytes:
        """Return a state as JSON. Raises `StateError`, naming the field that would not come
        back as it is."""
        try:
            raw = encode(state)
            decoded = self._state.decode(raw)
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            for name, value in state.items():
                self.convert(name, value)
            raise
        for name in self._loose:
            if getattr(decoded, name) != state[name]:
                raise self._refused(name, state[name], None)
        return raw

    def decode(self, raw: bytes | str) -> dict[str, Any]:
        """Return the state that `encode` wrote. Raises `StateError` where it does not fit."""
        try:
            decoded = self._state.decode(raw)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise StateError(
                f"a stored state of {self.name} does not fit its fields: {error}."
            ) from error
        return {name: getattr(decoded, name) for name in self.fields}

    def _refused(self, name: str, value: Any, cause: Exception | None) -> StateError:
        field = self.fields[name]
        shown = repr(value)
        if len(shown) > 80:
            shown = shown[:77] + "…"
        reason = f": {cause}" if cause else ", but it would come back from JSON as something else"
        return StateError(
            f"{self.name}.{name} got {shown} ({type(value).__name__}), expected "
            f"{type_name(field.type)}{reason}.",
            fix=f"Annotate the field with the type that it is to have ({name}: …), keep the "
            f"value under a name that begins with an underscore, or store a key instead.",
            **where(self.cls, name),
        )


def from_form(value: Any, wanted: Any) -> Any:
    """Convert what an HTML form sent to `wanted`: numbers, dates and booleans come as text.

    An empty text is None for a type that may be None but not text (an empty number field);
    "on" is what a checkbox without a value sends. One value for a list is a list of one; a
    list for a boolean says whether there is anything in it. Raises `msgspec.ValidationError`.
    """
    options = _options(wanted)
    if str not in options:
        if value == "" and type(None) in options:
            return None
        if value == "on" and bool in options:
            return True
        if isinstance(value, list) and bool in options:
            return bool(value)  # pyright: ignore[reportUnknownArgumentType]
        if not isinstance(value, list | dict) and _COLLECTIONS.intersection(options):
            value = [] if value == "" else [value]
    return msgspec.convert(value, wanted, strict=False)


def unsent(wanted: Any) -> Any:
    """Return what a form means that says nothing of a field: boxes that are not ticked and lists
    of which nothing is chosen are not sent. Raises `LookupError` for every other type."""
    options = _options(wanted)
    if options == {bool}:
        return False
    if len(options) == 1 and _COLLECTIONS.issuperset(options):
        return msgspec.convert([], wanted)
    raise LookupError(wanted)


def takes_several(wanted: Any) -> bool:
    """Whether a value of that type holds those of several fields of one name."""
    return not _COLLECTIONS.isdisjoint(_options(wanted))


def _options(wanted: Any) -> set[Any]:
    """The types that a value may have, without what is said of their items and bounds."""
    if typing.get_origin(wanted) is typing.Annotated:
        wanted = typing.get_args(wanted)[0]
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        return {found for one in typing.get_args(wanted) for found in _options(one)}
    return {typing.get_origin(wanted) or wanted}
