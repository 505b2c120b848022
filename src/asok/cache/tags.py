"""Tags by version token: flushing a tag is one write, however many entries carry it.

Each tag has a random token in the store; an entry keeps the tokens that its tags had when its
value's computation began. A token that is another or missing by now makes the entry a miss,
so a flush, an eviction of the token, and a flush in the middle of a computation are all safe,
on every store and without clocks (the scheme of Symfony's TagAwareAdapter).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, cast

from asok.cache.api import RESERVED, Store, Tags, check_key
from asok.errors import CacheKeyError

__all__ = ["add_where_absent", "check_tags", "flush_tags", "tags_hold", "tokens"]


def check_tags(tags: object) -> tuple[str, ...]:
    """Return tags in order and once each. Raises `CacheKeyError` for what is none."""
    if tags == ():
        return ()
    if isinstance(tags, str) or not isinstance(tags, Sequence | set | frozenset):
        raise CacheKeyError(
            f"got tags={tags!r}, expected several names.", fix="For example tags=['posts']."
        )
    names = cast("list[str]", list(tags))  # pyright: ignore[reportUnknownArgumentType]
    for name in names:
        check_key(name)
    return tuple(sorted(set(names)))


def _name(tag: str) -> str:
    return RESERVED + tag


def tokens(store: Store, tags: Sequence[str]) -> Tags:
    """Return the tags with the tokens they have now, made where there is none."""
    if not tags:
        return ()
    known = store.get_many([_name(tag) for tag in tags])
    result: list[tuple[str, str]] = []
    for tag in tags:
        entry = known.get(_name(tag))
        fresh = secrets.token_hex(8)
        if entry is None and not store.add(_name(tag), fresh, ttl=None):
            # Somebody else was faster. If theirs is gone again, ours never matches: a miss.
            entry = store.get(_name(tag))
        result.append((tag, fresh if entry is None else entry.take()))
    return tuple(result)


def tags_hold(store: Store, *several: Tags) -> list[bool]:
    """Whether every tag of each of several entries still has the token that it had.

    The store is asked once for all of them.
    """
    names = {_name(tag) for tags in several for tag, _ in tags}
    known: dict[str, Any] = {}
    if names:
        known = {name: entry.take() for name, entry in store.get_many(sorted(names)).items()}
    return [all(known.get(_name(tag)) == token for tag, token in tags) for tags in several]


def flush_tags(store: Store, tags: Sequence[str]) -> None:
    """Make a miss of every entry that carries one of the tags."""
    for tag in tags:
        store.delete(_name(tag))


def add_where_absent(store: Store, key: str, value: Any, ttl: float | None) -> bool:
    """`Store.add`, where an entry that a flushed tag hides counts as absent."""
    if store.add(key, value, ttl=ttl):
        return True
    entry = store.get(key)
    if entry is None or all(tags_hold(store, entry.tags)):
        return False
    store.delete(key)
    return store.add(key, value, ttl=ttl)
