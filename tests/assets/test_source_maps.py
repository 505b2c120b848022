"""Source maps follow the edits of their scripts."""

from __future__ import annotations

import json

import pytest

from asok.assets.references import Edit, edited
from asok.assets.source_maps import link, shifted

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def columns(mappings: str) -> list[list[int]]:
    """The generated columns of each line."""
    lines: list[list[int]] = []
    for line in mappings.split(";"):
        at, found = 0, list[int]()
        for segment in filter(None, line.split(",")):
            value = shift = 0
            for character in segment:
                digit = BASE64.index(character)
                value += (digit & 31) << shift
                shift += 5
                if digit < 32:
                    break
            at += -(value >> 1) if value & 1 else value >> 1
            found.append(at)
        lines.append(found)
    return lines


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("x\n//# sourceMappingURL=a.js.map", "a.js.map"),
        ("x\n//@ sourceMappingURL=a.js.map\n\n", "a.js.map"),
        ("x\n/*# sourceMappingURL=a.css.map */", "a.css.map"),
        ("x //# sourceMappingURL=data:application/json,{}", "data:application/json,{}"),
        ("//# sourceMappingURL=a.map\nx", None),
        ("const s = '//# sourceMappingURL=a.map'", None),
        ("x", None),
    ],
)
def test_the_link_is_the_last_comment(text: str, url: str | None) -> None:
    found = link(text)
    assert (found.url if found else None) == url
    if found:
        assert text[found.start : found.end] == url
        assert text[found.comment] == "/"
        assert found.inline is found.url.startswith("data:")


def test_what_lies_behind_an_edit_moves() -> None:
    text = 'import"./é🙂.js";a();b()\nc()\nimport"./y.js";d()'
    # Columns 0 (import), 18 (a), 22 (b); 0 (c); 0, 15 (d). The emoji counts twice.
    source_map = json.dumps(
        {
            "version": 3,
            "sources": ["s.ts"],
            "names": [],
            "mappings": "AAAA,kBAAA,IAAA;AAAA;AAAA,eAAA",
        }
    )
    assert columns("AAAA,kBAAA,IAAA;AAAA;AAAA,eAAA") == [[0, 18, 22], [0], [0, 15]]
    first, second = text.index('"./é'), text.index('"./y')
    edits = [Edit(first, first + 9, '"./é🙂-0123456789ab.js"'), Edit(second, second + 8, '"y"')]
    assert edited(text, edits).startswith('import"./é🙂-0123456789ab.js";a()')
    new = json.loads(shifted(source_map, text, edits))
    assert columns(new["mappings"]) == [[0, 31, 35], [0], [0, 10]]
    assert new["sources"] == ["s.ts"]
    assert shifted(source_map, text, []) == source_map


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"mappings": 1}'])
def test_what_is_no_map_is_refused(content: str) -> None:
    with pytest.raises(ValueError):
        shifted(content, "a", [Edit(0, 1, "b")])


@pytest.mark.parametrize("mappings", ["!", "g", "A,é"])
def test_mappings_that_can_not_be_read_are_refused(mappings: str) -> None:
    with pytest.raises(ValueError, match="segment"):
        shifted(json.dumps({"mappings": mappings}), "a", [Edit(0, 1, "b")])
