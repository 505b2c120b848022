"""Values as JSON text: what is plain stays plain, and no text makes code run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.cache.isolate import isolate
from asok.cache.values import dumps, loads
from asok.testing.stores.samples import same

from .random_values import values


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [1, [2]], {"a": {"b": [None]}}])
def test_what_json_has_is_json(value: Any) -> None:
    assert json.loads(dumps(value)) == value


@given(value=values())
def test_any_value_comes_back(value: Any) -> None:
    assert same(loads(dumps(value)), value)
    kept, copy, size = isolate(value)
    assert same(kept if copy is None else copy(kept), value)
    assert size > 0


MALFORMED = [
    b"",
    b"{",
    b"nul",
    b"\xff",
    b"NaN",
    b"[" * 50_000 + b'"$' + b"]" * 50_000,
    b"[" * 900 + b'{"$x":1}' + b"]" * 900,
    *(
        b'{"%s":%s}' % (name, content)
        for name in (
            b"$unknown $str $int $float $bytes $tuple $set $frozenset $decimal $uuid $datetime "
            b"$time $date $timedelta $dict"
        ).split()
        for content in (b"5", b'"\xc3\xa9"', b"[[[]]]", b"null", b"{}", b'{"a":1}')
    ),
    b'{"$datetime":["2026-01-01T00:00:00",0,"No/Such_Zone"]}',
    b'{"$datetime":["2026-01-01T00:00:00",0,"../../etc/passwd"]}',
    b'{"$datetime":["2026-01-01T00:00:00",0,"Europe"]}',
    b'{"$datetime":["2026-01-01T00:00:00",0,[9,0,0]]}',
    b'{"$datetime":["2026-01-01T00:00:00",7,null]}',
    b'{"$timedelta":[9999999999,0,0]}',
    b'{"$set":[[1]]}',
    b'{"$dict":[[[1],2]]}',
    b'{"$uuid":"x"}',
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: ascii(text)[:50])
def test_any_other_text_is_an_error_or_a_harmless_value(text: bytes) -> None:
    try:
        value = loads(text)
    except ValueError:
        return
    dumps(value)


@given(st.binary())
def test_any_bytes_are_a_value_or_a_value_error(text: bytes) -> None:
    try:
        loads(text)
    except ValueError:
        return
