"""Names: the table of a class, and the nearest of several names to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["snake_case", "suggest", "table_name"]

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women"}
_SAME = frozenset({"news", "series", "species", "equipment", "information", "media", "data"})


def snake_case(name: str) -> str:
    """Return `BlogPost` as `blog_post`, `HTTPLog` as `http_log`."""
    return _WORD.sub("_", name).lower()


def table_name(class_name: str) -> str:
    """Return the table of a model class: its name in snake case, in the plural.

    `Post` -> `posts`, `Category` -> `categories`, `BlogBox` -> `blog_boxes`, `Person` ->
    `people`. English has more exceptions: a model sets `__tablename__` where this is wrong.
    """
    head, underscore, last = snake_case(class_name).rpartition("_")
    if last in _IRREGULAR:
        plural = _IRREGULAR[last]
    elif last in _SAME:
        plural = last
    elif re.search(r"[^aeiou]y$", last):
        plural = last[:-1] + "ies"
    elif re.search(r"(s|x|z|ch|sh)$", last):
        plural = last + "es"
    else:
        plural = last + "s"
    return head + underscore + plural


def suggest(wrong: str, names: Iterable[str]) -> str:
    """Return "Did you mean 'x'?", or the list of all names where none is near."""
    known = sorted(names)
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
