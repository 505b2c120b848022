"""Where a web app manifest names other files: its icons, screenshots and shortcuts' icons.

The standard library's parser reads the JSON, and tells the place of each of its texts.
Addresses of pages (`start_url`, `scope`, …) are no assets and stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.decoder import scanstring  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from json.scanner import py_make_scanner  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from typing import Any, cast

from asok.assets.references import Reference, Unreadable

__all__ = ["references"]

#: Members that hold images (https://www.w3.org/TR/appmanifest, and the incubator's additions).
_LISTS = ("icons", "screenshots")
_NESTED = ("shortcuts", "file_handlers", "widgets")


class _Placed(str):
    """A text of the JSON, and where it stands with its quotes."""

    __slots__ = ("end", "start")
    start: int
    end: int


def references(text: str) -> Iterator[Reference]:
    """Yield the references of a manifest in order. Raises `Unreadable` for what is no JSON."""
    try:
        read = _Decoder().decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"no JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise Unreadable("no manifest: it is nested too deep to be read", 1) from error
    for found in sorted(_sources(read), key=lambda one: one.start):
        line = text.count("\n", 0, found.start) + 1
        yield Reference(str(found), found.start, found.end, line, _quoted)


class _Decoder(json.JSONDecoder):
    """Remembers the place of each value that is a text; `parse_string` is asked for them."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_string = _placed
        # The scanner written in C asks nobody.
        self.scan_once = cast("Any", py_make_scanner)(self)


def _placed(text: str, start: int, strict: bool = True) -> tuple[str, int]:
    value, end = cast("tuple[str, int]", scanstring(text, start, strict))
    placed = _Placed(value)
    placed.start, placed.end = start - 1, end
    return placed, end


def _sources(manifest: object) -> Iterator[_Placed]:
    for name in _LISTS:
        for image in _items(manifest, name):
            source = (
                cast("dict[str, object]", image).get("src") if isinstance(image, dict) else None
            )
            if isinstance(source, _Placed):
                yield source
    for name in _NESTED:
        for item in _items(manifest, name):
            yield from _sources(item)


def _items(holder: object, name: str) -> Iterable[object]:
    found = cast("dict[str, object]", holder).get(name) if isinstance(holder, dict) else None
    return cast("list[object]", found) if isinstance(found, list) else ()


def _quoted(url: str) -> str:
    return json.dumps(url, ensure_ascii=False)
