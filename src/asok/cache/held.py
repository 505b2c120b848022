"""Tags that a value brings with it, known only while it is computed: a page's parts have them.

A tag counts from the moment when it is named: its token is taken then (`take`), before the
data behind it is read. `Computed(tags=…)` takes tokens once more at the end, so whoever stored a
value asks `check` afterwards: a tag that was flushed in between makes it a miss again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asok.cache.region import Cache
from asok.cache.tags import check_tags, tags_hold, tokens
from asok.errors import CacheUnavailable

__all__ = ["check_held", "take_tokens"]


def take_tokens(cache: Cache, tags: Collection[str]) -> dict[str, str]:
    """Return tags with the tokens that they have now; "" where the store is in trouble, which
    never holds. Raises `CacheKeyError` for what is no tag."""
    names = check_tags(list(tags))
    try:
        return dict(tokens(cache.store, names))
    except CacheUnavailable:
        return dict.fromkeys(names, "")


def check_held(cache: Cache, key: str, held: Mapping[str, str]) -> bool:
    """Whether all tags still have these tokens; forgets `key` where one has another."""
    if not held:
        return True
    try:
        if all(tags_hold(cache.store, tuple(held.items()))):
            return True
    except CacheUnavailable:
        pass  # the entry can't be read either; `forget` says so in the log
    cache.forget(key)
    return False
