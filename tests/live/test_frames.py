"""Frames from browsers: what is one, and what is refused before anything happens."""

from __future__ import annotations

import json

import pytest

from asok.errors import CallRefused
from asok.live import frames
from asok.live.frames import Call, Join, Leave


def parse(text: str | bytes) -> frames.Frame:
    return frames.parse(text, depth=8, arguments=100)


def test_the_three_kinds_are_told_apart() -> None:
    assert parse('["j",1,"token","tab"]') == Join(1, "token", "tab")
    assert parse('["j",1,"token","tab",-1]') == Join(1, "token", "tab", -1)
    assert parse('["c",2,3,"add",[1,"x"],{"a":true}]') == Call(2, 3, "add", [1, "x"], {"a": True})
    assert parse('["c",2,3,"add"]') == Call(2, 3, "add")
    assert parse('["l",4]') == Leave(4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "1",
        "null",
        "{}",
        '"j"',
        '["x",1]',
        '["j"]',
        '["j",0,"token","tab"]',
        '["j",1.5,"token","tab"]',
        '["j",true,"token","tab"]',
        '["j",1,null,"tab"]',
        '["j",1,"token",""]',
        '["j",1,"token","$"]',
        '["j",1,"token","$publisher"]',
        '["j",1,"token","tab",1,2]',
        '["c",1,0,"add",[],null]',
        '["c",1,-1,"add",[],null]',
        '["c",1,99999999999999999999,"add",[],null]',
        '["c",1,1,"",[],null]',
        '["c",1,1,["add"],[],null]',
        '["c",1,1,"add",{},null]',
        '["c",1,1,"add",[],[]]',
        '["c",1,1,"add",[NaN],null]',
        '["c",1,1,"add",[1e999],null]',
        '["c",1,1,"add",["\\ud800"],null]',
        '["c",1,1,"add",[' + "9" * 5000 + "],null]",
        '["c",1,1,"' + "a" * 65 + '",[],null]',
        '["c",1,1,"add",' + "[" * 10_000 + "]" * 10_000 + ",null]",
        '["c",1,1,"add",' + "[" * 10 + "]" * 10 + ",null]",
        '["c",1,1,"add",[],{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}]',
        '["c",1,1,"add",[' + "1," * 100 + "1],null]",
        '["c",1,1,"add",[],' + json.dumps({str(n): 1 for n in range(101)}) + "]",
        b'["c",1,1,"add",["\xff"],null]',
        "\x00",
        '["c",1,1,"add",[],{"a":1,"a":2}]',
        b'["c",1,1,"add",[{"b":[{"a":1,"c":2,"a":2}]}]]',
        '["c",1,1,"add",[],{"a":' + "9" * 5000 + "}]",
    ],
)
def test_anything_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(CallRefused) as refused:
        parse(text)

    assert refused.value.code == "malformed"


def test_eight_levels_are_within_the_depth() -> None:
    call = parse('["c",1,1,"add",[[[[[[[[1]]]]]]]],null]')

    assert isinstance(call, Call)


def test_no_key_is_special() -> None:
    call = parse('["c",1,1,"add",[{"a":{"a":1}}],{"a":2,"__proto__":3}]')

    assert isinstance(call, Call)
    assert call.data == {"a": 2, "__proto__": 3}


def test_frames_to_the_browser() -> None:
    assert json.loads(frames.html(1, 2, "<p>é</p>", 3)) == ["h", 1, 2, "<p>é</p>", 3]
    assert json.loads(frames.spliced(1, 2, 1, [(0, 1, "x")], 3)) == ["s", 1, 2, 1, [[0, 1, "x"]], 3]
    assert json.loads(frames.same(1, 2, 3)) == ["o", 1, 2, 3]
    assert json.loads(frames.failed(1, 2, "busy", "later")) == ["e", 1, 2, "busy", "later"]
    assert json.loads(frames.csrf("value")) == ["t", "value"]
    assert json.loads(frames.reload("expired")) == ["r", "expired"]
