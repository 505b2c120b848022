"""What a message to the webhook says: paths, tags, and whether visitors wait."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any, Final, cast

__all__ = ["Announcement"]

#: Paths and tags of one message together.
MAX_ENTRIES: Final = 1000
_NAMES: Final = ("paths", "tags", "block")


@dataclass(frozen=True, slots=True)
class Announcement:
    """That the pages of `paths` and of `tags` changed; with `block` their visitors wait."""

    paths: tuple[str, ...]
    tags: tuple[str, ...]
    block: bool

    @classmethod
    def read(cls, body: bytes) -> Announcement:
        """Read a JSON body. Raises `ValueError` that says what was got and what expected."""
        try:
            value: Any = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ValueError(
                f"the body is {_kind(value)}, expected an object: "
                '{"paths": ["/blog/first"], "tags": ["posts"]}'
            )
        given = cast("dict[str, Any]", value)
        for name in given:
            if name not in _NAMES:
                near = difflib.get_close_matches(name.lower(), _NAMES, 1, 0.6)
                meant = f'; did you mean "{near[0]}"?' if near else ""
                expected = ", ".join(f'"{known}"' for known in _NAMES)
                raise ValueError(f"{_shown(name)} is none of {expected}{meant}")
        paths, tags = _texts(given, "paths"), _texts(given, "tags")
        block = given.get("block", False)
        if not isinstance(block, bool):
            raise ValueError(f'"block" is {_kind(block)}, expected true or false')
        if not paths and not tags:
            raise ValueError('there is nothing to revalidate: give "paths" or "tags"')
        if len(paths) + len(tags) > MAX_ENTRIES:
            raise ValueError(
                f"there are {len(paths) + len(tags)} paths and tags, expected at most "
                f"{MAX_ENTRIES}; send several messages, or revalidate a tag or a pattern"
            )
        return cls(paths, tags, block)


def _texts(given: dict[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f'"{name}" is {_kind(value)}, expected an array of strings')
    items = cast("list[object]", value)
    for position, item in enumerate(items):
        if not isinstance(item, str):
            raise ValueError(f'"{name}"[{position}] is {_kind(item)}, expected a string')
        if any("\ud800" <= character <= "\udfff" for character in item):
            raise ValueError(f'"{name}"[{position}] holds half of a surrogate pair')
    return tuple(dict.fromkeys(cast("list[str]", items)))


def _kind(value: object) -> str:
    """What JSON calls a value."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _shown(text: str) -> str:
    return json.dumps(text[:40])
