"""The query parameters that a page declares: `QUERY`, and how a request's are read by it.

Only declared parameters are part of what a page is stored under. Each value has one text, so
that `?page=2`, `?page=2&utm_source=x` and `?%70age=2` are the same page; a value that does
not fit is no page at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from asok.pages.kinds import parse_value

__all__ = ["MAX_VALUE", "NO_QUERY", "Parameter", "Query", "make_query"]

#: The longest text that a parameter may have, in characters.
MAX_VALUE: Final = 100
_MAX_NAME: Final = 64
_MAX_PARAMETERS: Final = 8
#: What forms and people write for a truth value; the first one is the canonical text.
_TRUTH: Final = {
    **dict.fromkeys(("true", "1", "on"), True),
    **dict.fromkeys(("false", "0", "off"), False),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. `kind` is `str`, `int`, `bool`, or the texts to choose from."""

    name: str
    kind: type | tuple[str, ...] = str

    def text(self, given: str) -> str | None:
        """Return the canonical text of the value `given`, or None where it does not fit."""
        if isinstance(self.kind, tuple):
            return given if given in self.kind else None
        if self.kind is int:
            return given if parse_value("int", given) is not None else None
        if self.kind is bool:
            truth = _TRUTH.get(given)
            return None if truth is None else str(truth).lower()
        text = unicodedata.normalize("NFC", given)
        # U+FFFD stands for bytes that were no UTF-8.
        fits = 0 < len(text) <= MAX_VALUE and text.isprintable() and "\ufffd" not in text
        return text if fits else None

    def value(self, text: str) -> str | int | bool:
        """Return the value of a canonical text, typed as declared."""
        if self.kind is int:
            return int(text)
        return text == "true" if self.kind is bool else text


@dataclass(frozen=True, slots=True)
class Query:
    """What a page declares, in its order. A page without a declaration has an empty one."""

    parameters: tuple[Parameter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """The declared names."""
        return tuple(parameter.name for parameter in self.parameters)

    def read(self, query_string: bytes) -> tuple[tuple[str, str], ...] | None:
        """Return the declared parameters that were given, or None where a value does not fit.

        They are (name, canonical text), in the order of the declaration. Of a repeated one
        the last counts, as in `request.args.get`.
        """
        if not query_string or not self.parameters:
            return ()
        given = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
        found: list[tuple[str, str]] = []
        for parameter in self.parameters:
            raw = given.get(parameter.name)
            if raw is None:
                continue
            text = parameter.text(raw)
            if text is None:
                return None
            found.append((parameter.name, text))
        return tuple(found)

    def values(self, given: Sequence[tuple[str, str]]) -> dict[str, str | int | bool]:
        """Return what `read` returned with typed values, by name."""
        texts = dict(given)
        return {
            parameter.name: parameter.value(texts[parameter.name])
            for parameter in self.parameters
            if parameter.name in texts
        }


#: What a page without `QUERY` declares.
NO_QUERY: Final = Query()


def make_query(declared: object) -> Query:
    """Return what a page's `QUERY` declares.

    It is a tuple of names, or a dict from names to `str`, `int`, `bool` or a tuple of the
    texts to choose from. Raises `ValueError` that says what is wrong, and how to write it.
    """
    if isinstance(declared, str):
        raise ValueError(f'is one text, not several; write QUERY = ("{declared}",)')
    if isinstance(declared, Mapping):
        kinds = cast("Mapping[object, object]", declared)
    elif isinstance(declared, (tuple, list)):
        kinds = dict.fromkeys(cast("Sequence[object]", declared), str)
    elif isinstance(declared, (set, frozenset)):  # without an order of its own
        kinds = dict.fromkeys(sorted(cast("Iterable[object]", declared), key=str), str)
    else:
        raise ValueError(
            'is neither a tuple of names nor a dict; write QUERY = ("page",) or '
            'QUERY = {"page": int, "sort": ("new", "old")}'
        )
    if len(kinds) > _MAX_PARAMETERS:
        raise ValueError(
            f"declares {len(kinds)} parameters, at most {_MAX_PARAMETERS} are allowed: each "
            "combination of values is a page of its own"
        )
    return Query(tuple(Parameter(_name(name), _kind(name, kind)) for name, kind in kinds.items()))


def _name(name: object) -> str:
    if isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable():
        return name
    raise ValueError(f"holds {name!r}; a name is a printable text of 1 to {_MAX_NAME} characters")


def _kind(name: object, kind: object) -> Any:
    if kind is str or kind is int or kind is bool:
        return kind
    if isinstance(kind, (tuple, list)) and kind:
        choices = tuple(cast("Sequence[object]", kind))
        free = Parameter("")
        if all(isinstance(one, str) and free.text(one) == one for one in choices):
            return choices
    raise ValueError(
        f"says {kind!r} about {name!r}; expected str, int, bool, or a tuple of the texts to "
        f"choose from (1 to {MAX_VALUE} printable characters each)"
    )
