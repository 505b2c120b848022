"""Tags, by which pages are regenerated: those that a site names, and each page's own two.

A page's path and its route's pattern are tags too: every page of a path (one for each
query), and every page of a pattern. Their names begin with a NUL, which no tag that a site
names can hold.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_TAG", "path_tag", "route_tag", "tag_problem"]

#: Characters that a tag may have.
MAX_TAG: Final = 128


def path_tag(path: str) -> str:
    """Return the tag of every page of the decoded `path`; a query behind its NUL is left out."""
    return f"\0path:{path.partition(chr(0))[0]}"


def route_tag(pattern: str) -> str:
    """Return the tag of every page of the route `pattern`."""
    return f"\0route:{pattern}"


def tag_problem(tag: object) -> str | None:
    """Say why `tag` can't be a tag, or None where it can."""
    if not isinstance(tag, str):
        return f"it is {type(tag).__name__}, expected text"
    if not tag.strip():
        return "it is empty"
    if len(tag) > MAX_TAG:
        return f"it has {len(tag)} characters, expected at most {MAX_TAG}"
    if not tag.isprintable():
        return "it holds a character that can't be printed"
    return None
