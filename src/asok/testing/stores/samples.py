"""Values that every store gives back, values that every store refuses, and keys that differ."""

from __future__ import annotations

import enum
import math
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import PurePath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup

__all__ = ["KEYS", "REFUSED", "STORED", "label", "same"]


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


@dataclass
class Thing:
    a: int = 1


class Point(NamedTuple):
    x: int
    y: int


PARIS = ZoneInfo("Europe/Paris")

STORED: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**63 - 1,
    2**63,
    -(2**63),
    2**64,
    -(2**200),
    2**20_000,  # more digits than `str` is ready to write
    0.0,
    -0.0,
    1.0,
    0.1,
    1e300,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    "",
    "text",
    "grüße 🙂 \x00 \u2028 </script>",
    "half a pair: \ud800 and \udc00",
    "$dict",
    b"",
    b"\x00\xff bytes",
    Decimal("1.20"),
    Decimal("-0"),
    Decimal("1E+400"),
    Decimal("NaN"),
    Decimal("Infinity"),
    UUID(int=7),
    date(1, 1, 1),
    datetime(2026, 11, 1, 12, 30, 15, 123456),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=PARIS),
    datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30, microseconds=5))),
    time(1, 2, 3, 4),
    time(1, 2, tzinfo=UTC, fold=1),
    timedelta(days=-3, seconds=5, microseconds=7),
    [],
    {},
    (),
    set[int](),
    frozenset[int](),
    [1, [2, [3]]],
    [1, "a", None],
    {"a": 1, "b": [1, 2, {"c": None}]},
    {"a": 1},
    {1: "int", "1": "text", False: 1, None: 0, 2.5: 1, (1, 2): 3},
    {"$tuple": [1]},
    {"$": 1, "$x": 2},
    {"ü": 1, "half \ud800": 2},
    {"z": 1, "a": 2, "m": 3},
    (1, "a", (2, (3, (4, (5, (6,)))))),
    (1, [2]),
    {"t": (1, 2), "s": {1, 2}, "f": frozenset({(1, 2), "x"})},
    {1, "a", None, 2.5},
    frozenset({1, (2, frozenset({3}))}),
    {"price": Decimal("9.90"), "at": datetime(2026, 1, 1, tzinfo=PARIS), "id": UUID(int=1)},
    [math.nan, {"x": math.nan}],
]

#: (a value, what the error must say)
REFUSED: list[tuple[Any, str]] = [
    (object(), "value is of the type object"),
    (Colour.RED, "samples.Colour"),
    (Level.HIGH, "samples.Level"),
    (Thing(), "samples.Thing"),
    (Point(1, 2), "samples.Point"),
    (OrderedDict(a=1), "collections.OrderedDict"),
    (Markup("<b>"), "markupsafe.Markup"),
    (PurePath("a"), "pathlib."),
    (1 + 2j, "complex"),
    (bytearray(b"x"), "bytearray"),
    (range(3), "range"),
    (datetime(2026, 1, 1, tzinfo=timezone(timedelta(0), "Zulu")), "time zone"),
    (time(1, tzinfo=timezone(timedelta(0), "Zulu")), "time zone"),
    ({"items": [{"when": 1}, {"when": Thing()}]}, "value['items'][1]['when'] is of the type"),
    ({"a": {1: {(1, 2): object()}}}, "value['a'][1][(1, 2)] is of the type object"),
    ((1, (2, object())), "value[1][1] is of the type object"),
    ({Colour.RED: 1}, "samples.Colour"),
    ({2**20_000: object()}, "value[<int>] is of the type object"),
    ([[[], {"flat": b"x"}], lambda: 1], "value[1] is of the type function"),
]

KEYS: list[str] = [
    "a",
    "A",
    "a:b",
    "a:b:",
    ":a:b",
    "a*b",
    "a?b",
    "[a-z]",
    "\\",
    "a\nb",
    "a\r\nb",
    "a\x00b",
    "\x00",
    " ",
    " a",
    "a ",
    ".",
    "..",
    "../../etc/passwd",
    "/",
    "a/b",
    "%2e%2e",
    "1",
    "True",
    "None",
    "é",
    "e\u0301",
    "🙂",
    "\ud800",
    "\\ud800",
    "'; DROP TABLE",
    "x" * 255,
    "x" * 4096,
    "🙂" * 1024,
]


def same(a: Any, b: Any) -> bool:
    """Equal, of the same types all the way down, in the same order; NaN is the same as NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, Decimal):
        return str(a) == str(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(a, set | frozenset):
        return a == b and sorted(map(repr, a)) == sorted(map(repr, b))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(a, datetime | time):
        return (a.isoformat(), a.fold, a.tzname(), a.tzinfo is None) == (
            b.isoformat(),
            b.fold,
            b.tzname(),
            b.tzinfo is None,
        )
    return a == b


def label(value: Any) -> str:
    """A short name of a sample for the list of tests."""
    if isinstance(value, set):  # whose order differs between processes
        return f"a set of {len(value)}"  # pyright: ignore[reportUnknownArgumentType]
    try:
        return re.sub(r" at 0x[0-9a-f]+", "", ascii(value))[:40]
    except ValueError:
        return type(value).__name__
