"""Tags: names under which pages are invalidated together, and when each last was.

Beside the tags that a page declares or names while it renders, each page has two that
nobody can write, for they begin with a NUL: its path (so that every variant of QUERY goes
with it) and its pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from asok.pages.stored import StoredPage

__all__ = ["Mark", "page_tags", "path_tag", "route_tag", "why_invalidated"]

_PATH: Final = "\0path:"
_ROUTE: Final = "\0route:"


class Mark(NamedTuple):
    """When something was last invalidated: `at` in any way, `block_at` to wait for the new page.

    Both are moments of the store's clock in seconds, 0 for never.
    """

    at: float = 0.0
    block_at: float = 0.0

    def later(self, other: Mark) -> Mark:
        """Return what is known when both happened."""
        return Mark(max(self.at, other.at), max(self.block_at, other.block_at))


def path_tag(key: str) -> str:
    """Return the tag of every page of a path; `key` may hold a query, which is left out."""
    return _PATH + key.partition("\0")[0]


def route_tag(pattern: str) -> str:
    """Return the tag of every page of a pattern, as "/blog/[slug]"."""
    return _ROUTE + pattern


def page_tags(page: StoredPage) -> tuple[str, ...]:
    """Return every tag that invalidates `page`: its own and those of its path and pattern."""
    return (*page.tags, path_tag(page.path), route_tag(page.pattern))


def why_invalidated(
    tags: Iterable[str], marks: Callable[[Iterable[str]], Mark], moment: float
) -> str:
    """Say which of `tags` was invalidated since `moment`; one of them was."""
    if marks(()).at >= moment:
        return "one of its tags may have been invalidated (too long ago to know)"
    tag = next(tag for tag in (*tags, "") if not tag or marks((tag,)).at >= moment)
    if tag.startswith(_PATH):
        return "its path was invalidated"
    if tag.startswith(_ROUTE):
        return f"every page of {tag.removeprefix(_ROUTE)} was invalidated"
    return f'its tag "{tag}" was invalidated'
