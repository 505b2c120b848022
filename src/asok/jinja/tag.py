"""One HTML tag while it is read: its name, and what its attributes may be.

A template's tag may be written differently by different branches, so an attribute has a
set of possible values. `DYNAMIC` stands for text that is only known at render, `None` for
an attribute that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

__all__ = ["ASSET", "DYNAMIC", "Tag", "Values"]

#: Stands in a name or value for text that is only known at render. A NUL is no text that
#: HTML can hold, and source that holds one anyway is then merely unknown.
DYNAMIC: Final = "\0"

#: Stands for the URL of a file of this site: a path, whatever follows.
ASSET: Final = "/static/" + DYNAMIC

Values = frozenset[str | None]

#: The attributes whose values decide something; others are read past.
_KEPT = frozenset(
    {"action", "data-csrf", "formaction", "formmethod", "method", "name", "nonce", "src", "type"}
)
#: More alternatives than this are taken as unknown.
_MOST = 16
_EMPTY: Mapping[str, Values] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag. Offsets count characters of the template's source.

    `name_ends` are the offsets behind its name, one for each branch that wrote it.
    `wild` is set from the first attribute on whose name can't be known: any attribute may
    have come before those that follow it, and the first of a name wins (HTML 13.2.5.33).
    """

    start: int
    name: str = ""
    name_ends: frozenset[int] = frozenset()
    closing: bool = False
    raw: bool = False
    attributes: Mapping[str, Values] = field(default_factory=lambda: _EMPTY)
    wild: bool = False
    slash: bool = False
    attribute: str = ""
    value: frozenset[str] = frozenset({""})

    def named(self, text: str, end: int) -> Tag:
        """The tag with `text` added to its name, which ends at the offset `end` so far."""
        return replace(self, name=self.name + text.lower(), name_ends=frozenset({end}))

    def begin(self, text: str) -> Tag:
        """The tag with `text` added to the name of the attribute that is read."""
        return replace(self, attribute=self.attribute + text.lower(), slash=False)

    def add(self, text: str) -> Tag:
        """The tag with `text` added to every alternative of the value that is read."""
        if self.attribute not in _KEPT:
            return self
        return replace(self, value=frozenset(value + text for value in self.value))

    def commit(self) -> Tag:
        """The tag with the attribute that was read among its attributes."""
        if not self.attribute:
            return self
        done = replace(self, attribute="", value=_NOTHING)
        if DYNAMIC in self.attribute:
            return done.opened()
        before = self.values(self.attribute)
        if self.attribute not in _KEPT or None not in before:
            return done
        found = _bounded((before - {None}) | self.value)
        return replace(done, attributes={**self.attributes, self.attribute: found})

    def values(self, attribute: str) -> Values:
        """What `attribute` may be, as far as the tag was read."""
        found = self.attributes.get(attribute)
        if found is not None:
            return found
        return frozenset({DYNAMIC, None}) if self.wild else frozenset({None})

    def joined(self, other: Tag) -> Tag:
        """What the tag may be where two branches that wrote parts of it meet again."""
        keys = {*self.attributes, *other.attributes}
        attribute = self.attribute
        if attribute != other.attribute and {attribute, other.attribute} & _KEPT:
            attribute = DYNAMIC
        return replace(
            self,
            name=self.name if self.name == other.name else DYNAMIC,
            name_ends=self.name_ends | other.name_ends,
            raw=self.raw or other.raw,
            attribute=attribute,
            attributes={
                key: _bounded(self.values(key) | other.values(key)) for key in sorted(keys)
            },
            wild=self.wild or other.wild,
            slash=self.slash and other.slash,
            value=_bounded_value(self.value | other.value),
        )

    def opened(self) -> Tag:
        """The tag after something unknown that may have added attributes."""
        attributes = {
            key: values | {DYNAMIC} if None in values else values
            for key, values in self.attributes.items()
        }
        return replace(self, attributes=attributes, wild=True)


_NOTHING: Final[frozenset[str]] = frozenset({""})


def _bounded(values: Values) -> Values:
    return values if len(values) <= _MOST else frozenset({DYNAMIC, None})


def _bounded_value(values: frozenset[str]) -> frozenset[str]:
    """At most so many alternatives; more have their common beginning and an unknown rest."""
    if len(values) <= _MOST:
        return values
    first, last = min(values), max(values)
    size = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return frozenset({first[:size] + DYNAMIC})
