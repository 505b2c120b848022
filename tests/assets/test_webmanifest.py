"""References in web app manifests."""

from __future__ import annotations

import json

import pytest

from asok.assets.references import Edit, Unreadable, edited
from asok.assets.webmanifest import references

MANIFEST = """{
  "name": "Shop \\u00e9", "start_url": "../", "scope": "/", "src": "no.png",
  "icons": [
    {"src": "i/a.png", "sizes": "9x9"},
    {"sizes": "any",
     "src": "i\\/b.svg"}
  ],
  "screenshots": [{"src": "s.png", "label": "s.png"}],
  "shortcuts": [{"name": "New", "url": "/new", "icons": [{"src": "n.png"}]}, 1],
  "share_target": {"action": "/share"}
}"""


def test_images_are_found_and_addresses_of_pages_are_not() -> None:
    found = list(references(MANIFEST))
    assert [(one.value, one.line) for one in found] == [
        ("i/a.png", 4), ("i/b.svg", 6), ("s.png", 8), ("n.png", 9)
    ]  # fmt: skip
    written = edited(MANIFEST, (Edit(o.start, o.end, o.quote(f'n"{o.value}')) for o in found))
    read, before = json.loads(written), json.loads(MANIFEST)
    assert [icon["src"] for icon in read["icons"]] == ['n"i/a.png', 'n"i/b.svg']
    assert read["screenshots"] == [{"src": 'n"s.png', "label": "s.png"}]
    assert read["shortcuts"][0]["icons"] == [{"src": 'n"n.png'}]
    for name in ("name", "start_url", "scope", "src", "share_target"):
        assert read[name] == before[name]


@pytest.mark.parametrize(
    "text", ["[]", "1", '"icons"', '{"icons": {}}', '{"icons": [1, {"src": 2}]}']
)
def test_what_has_no_images_has_no_references(text: str) -> None:
    assert list(references(text)) == []


def test_broken_json_is_an_error_with_its_line() -> None:
    with pytest.raises(Unreadable, match="no JSON") as caught:
        list(references('{"icons":\n [}'))
    assert caught.value.line == 2


def test_json_that_is_nested_too_deep_is_an_error() -> None:
    with pytest.raises(Unreadable, match="too deep"):
        list(references('{"icons":' + "[" * 100_000))
