"""What may be stored, as JSON text that gives back exactly what went in, or a refusal.

JSON's own types are written as JSON. The others are an object with one key that begins with
`$`: `{"$decimal": "1.20"}`, `{"$tuple": [1, 2]}`. An object of the user with such a key, or
with keys that are not text, is written as `{"$dict": [[key, value], …]}`, so nothing can be
mistaken for something else. Reading runs no code that the text names.

Only the exact types are taken. An instance of a subclass (an `Enum`, `Markup`, a named
tuple, a model) would come back as its base: it is refused, on every store alike.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any, Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from asok.errors import CacheValueError

__all__ = ["DEPTH_LIMIT", "SCALARS", "dumps", "known_zone", "lift", "loads", "lower", "type_of"]

#: How many containers may lie inside each other.
DEPTH_LIMIT: Final = 64

#: Types whose instances can't be changed and hold nothing else.
SCALARS: Final = frozenset(
    {str, int, float, bool, type(None), bytes, Decimal, UUID, date, timedelta, datetime, time}
)

#: `type`, whose result a checker would call partially unknown.
type_of = cast("Callable[[Any], Any]", type)

_MARK: Final = b'"$'
_INT_LOW, _INT_HIGH = -(2**63), 2**64
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


class _Refused(Exception):
    """A part of a value can't be stored; `path` grows while the containers unwind."""

    def __init__(self, reason: str, fix: str) -> None:
        self.reason = reason
        self.fix = fix
        self.path: list[str] = []


def dumps(value: Any) -> bytes:
    """Return a value as JSON text (UTF-8).

    Raises `CacheValueError` that names the type and the place of what can't be stored.
    """
    return _encoder.encode(lower(value))


def loads(text: bytes) -> Any:
    """The inverse of `dumps`. Raises `ValueError` for any other text."""
    try:
        value = _decoder.decode(text)
        return lift(value) if _MARK in text else value
    except RecursionError:
        raise ValueError("lies too deep for anything that dumps() wrote") from None


def lower(value: Any) -> Any:
    """Return a value made of JSON's own types only, for an encoder."""
    try:
        return _lower(value, DEPTH_LIMIT)
    except _Refused as refused:
        where = "value" + "".join(reversed(refused.path))
        raise CacheValueError(f"{where} {refused.reason}.", fix=refused.fix) from None


def _lower(value: Any, depth: int) -> Any:
    kind = type_of(value)
    if kind is str:
        return value if value.isascii() else _lower_text(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return value if _INT_LOW <= value < _INT_HIGH else {"$int": hex(value)}
    if kind is float:
        return value if isfinite(value) else {"$float": repr(value)}
    if kind is dict:
        return _lower_dict(value, depth - 1)
    if kind is list:
        return _lower_items(value, depth - 1)
    special = _LOWER.get(kind)
    if special is None:
        name = kind.__qualname__ if kind.__module__ == "builtins" else None
        name = name or f"{kind.__module__}.{kind.__qualname__}"
        raise _Refused(f"is of the type {name}, which would not come back as it is", _FIX)
    return special(value, depth - 1)


_FIX: Final = (
    "Store text, numbers, None, bytes, dates, times, Decimal, UUID, and lists, tuples, sets and "
    "dicts of them; turn anything else into these first."
)


def _lower_text(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no JSON text can hold it
        return {"$str": base64.b85encode(value.encode("utf-8", "surrogatepass")).decode()}
    return value


def _lower_dict(value: dict[Any, Any], depth: int) -> Any:
    _check_depth(depth)
    result: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str or key[:1] == "$" or not key.isascii():
            return _lower_pairs(value, depth)
        try:
            result[key] = _lower(item, depth)
        except _Refused as refused:
            refused.path.append(f"[{_shown(key)}]")
            raise
    return result


def _lower_pairs(value: dict[Any, Any], depth: int) -> Any:
    plain = all(type(key) is str and key[:1] != "$" and _encodable(key) for key in value)
    pairs: list[list[Any]] = []
    for key, item in value.items():
        try:
            pairs.append([_lower(key, depth), _lower(item, depth)])
        except _Refused as refused:
            refused.path.append(f"[{_shown(key)}]")
            raise
    return dict(pairs) if plain else {"$dict": pairs}


def _shown(key: object) -> str:
    try:
        return repr(key)[:60]
    except ValueError:  # an int of more digits than Python is ready to write
        return f"<{type(key).__name__}>"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lower_items(values: Any, depth: int) -> list[Any]:
    _check_depth(depth)
    result: list[Any] = []
    for value in values:
        try:
            result.append(_lower(value, depth))
        except _Refused as refused:
            refused.path.append(f"[{len(result)}]")
            raise
    return result


def _check_depth(depth: int) -> None:
    if depth < 0:
        raise _Refused(
            f"lies more than {DEPTH_LIMIT} containers deep, or in a container that holds itself",
            "Store a flatter value.",
        )


def known_zone(zone: tzinfo | None) -> bool:
    """Whether a zone comes back as it went in: none, a plain offset, or a named `ZoneInfo`."""
    if zone is None:
        return True
    if type(zone) is timezone:
        # A `timezone` with a name of its own compares equal to one without, but shows another.
        return zone.tzname(None) == timezone(zone.utcoffset(None)).tzname(None)
    return type(zone) is ZoneInfo and bool(zone.key)


def _zone(zone: tzinfo | None) -> Any:
    if not known_zone(zone):
        raise _Refused(
            f"has the time zone {zone!r}, which would not come back as it is",
            "Use zoneinfo.ZoneInfo('…') or datetime.UTC.",
        )
    if isinstance(zone, ZoneInfo):
        return zone.key
    return None if zone is None else _span(zone.utcoffset(None) or timedelta(0))


def _read_zone(text: Any) -> tzinfo | None:
    if text is None:
        return None
    return ZoneInfo(text) if isinstance(text, str) else timezone(timedelta(*text))


def _span(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _moment(value: datetime | time) -> list[Any]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, _zone(value.tzinfo)]


def _read_datetime(parts: Any) -> datetime:
    text, fold, zone = parts
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=_read_zone(zone))


def _read_time(parts: Any) -> time:
    text, fold, zone = parts
    return time.fromisoformat(text).replace(fold=fold, tzinfo=_read_zone(zone))


_LOWER: Final[dict[type, Callable[[Any, int], Any]]] = {
    bytes: lambda value, _: {"$bytes": base64.b64encode(value).decode()},
    tuple: lambda value, depth: {"$tuple": _lower_items(value, depth)},
    set: lambda value, depth: {"$set": _lower_items(value, depth)},
    frozenset: lambda value, depth: {"$frozenset": _lower_items(value, depth)},
    Decimal: lambda value, _: {"$decimal": str(value)},
    UUID: lambda value, _: {"$uuid": value.hex},
    datetime: lambda value, _: {"$datetime": _moment(value)},
    time: lambda value, _: {"$time": _moment(value)},
    date: lambda value, _: {"$date": value.isoformat()},
    timedelta: lambda value, _: {"$timedelta": _span(value)},
}

_LIFT: Final[dict[str, Callable[[Any], Any]]] = {
    "$str": lambda text: base64.b85decode(text).decode("utf-8", "surrogatepass"),
    "$int": lambda text: int(text, 16),
    "$float": float,
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$tuple": lambda items: tuple(map(lift, items)),
    "$set": lambda items: set(map(lift, items)),
    "$frozenset": lambda items: frozenset(map(lift, items)),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$datetime": _read_datetime,
    "$time": _read_time,
    "$date": date.fromisoformat,
    "$timedelta": lambda parts: timedelta(*parts),
    "$dict": lambda pairs: {lift(key): lift(value) for key, value in pairs},
}


def lift(value: Any) -> Any:
    """The inverse of `lower`. Raises `ValueError` for what `lower` does not make."""
    if type(value) is list:
        return [lift(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if type(value) is not dict:
        return value
    if len(value) == 1:  # pyright: ignore[reportUnknownArgumentType]
        ((name, content),) = value.items()  # pyright: ignore[reportUnknownVariableType]
        if name[:1] == "$":
            try:
                return _LIFT[name](content)
            except (LookupError, TypeError, AttributeError, ArithmeticError, OSError) as error:
                raise ValueError(f"{name!r} does not go with {content!r}") from error
    return {key: lift(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
