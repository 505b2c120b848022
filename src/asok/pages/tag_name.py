"""What a tag may be called: the rule for `TAGS`, `request.tag` and `revalidate_tag`."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_TAG", "tag_problem"]

#: Characters that a tag may have.
MAX_TAG: Final = 128


def tag_problem(tag: object) -> str | None:
    """Say why `tag` can't be a tag, or None where it can.

    A NUL can't be printed, so no tag of a site is one that a path or a pattern has.
    """
    if not isinstance(tag, str):
        return f"it is {type(tag).__name__}, expected text"
    if not tag.strip():
        return "it is empty"
    if len(tag) > MAX_TAG:
        return f"it has {len(tag)} characters, expected at most {MAX_TAG}"
    if not tag.isprintable():
        return "it holds a character that can't be printed"
    return None
