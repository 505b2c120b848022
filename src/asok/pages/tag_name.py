"""What a tag may be called: the rule for `TAGS`, `request.tag`, models and `revalidate_tag`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from asok.errors import PageError

__all__ = ["MAX_TAG", "data_tag", "page_tag", "tag_problem"]

#: Characters that a tag may have.
MAX_TAG: Final = 128
#: Hex digits that stand for the rest of a longer text (96 bits).
_DIGITS: Final = 24
# What no segment of a path can hold either: controls (NUL begins the tags of paths and
# patterns) and lone surrogates. Joiners stay, which words of many languages need.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def tag_problem(tag: object) -> str | None:
    """Say why `tag` can't be a tag, or None where it can."""
    if not isinstance(tag, str):
        return f"it is {type(tag).__name__}, expected text"
    if not tag.strip():
        return "it is empty"
    if len(tag) > MAX_TAG:
        return f"it has {len(tag)} characters, expected at most {MAX_TAG}"
    if _FORBIDDEN.search(tag):
        return "it holds a control character or half of a surrogate pair"
    return None


def data_tag(text: str) -> str:
    """Return the tag for a text made from data, "post:" and a slug.

    It is NFC, as paths are, whatever the database holds. A longer text than a tag may be
    keeps its beginning and ends with a digest: the same for the page and for the model.
    """
    name = unicodedata.normalize("NFC", text)
    if len(name) <= MAX_TAG:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_DIGITS // 2)
    return f"{name[: MAX_TAG - _DIGITS - 1]}~{digest.hexdigest()}"


def page_tag(name: object) -> str:
    """Return the tag that a page names while it renders. Raises `PageError`."""
    tag = data_tag(name) if isinstance(name, str) else name
    problem = tag_problem(tag)
    if problem is not None:
        raise PageError(
            f"request.tag({name!r}) names no tag: {problem}.",
            fix='Write request.tag("posts", f"post:{slug}").',
        )
    assert isinstance(tag, str)
    return tag
