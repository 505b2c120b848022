"""The arguments of `{% cache %}`: brought into one form, or refused with what to write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final, cast

from asok.cache.values import dumps
from asok.errors import CacheValueError, TemplateError
from asok.pages import data_tag, tag_problem

__all__ = ["NOTHING", "fragment_key", "fragment_tags", "fragment_time"]

#: Stands for a `vary` that was not given: None is a value like any other.
NOTHING: Final = object()
#: Characters of a key that are kept readable.
_LONGEST: Final = 500


def fragment_key(key: object, vary: object, source: str) -> str:
    """Return the key of a fragment in the cache.

    `source` stands for the template's text between the tags, so that two templates that chose
    the same key, or one before and after a change, don't show each other's text. Different keys
    and values never become the same text, and 7, "7" and True are different ones. Raises
    `TemplateError`.
    """
    plain = isinstance(key, str) and vary is NOTHING
    if key is None or key == "" or key == () or key == []:
        raise _no_key(key)
    if plain:
        text = str(key)
    else:
        parts = [_plain(key)] if vary is NOTHING else [_plain(key), _plain(vary)]
        try:
            text = dumps(parts).decode()
        except CacheValueError as error:
            if len(parts) == 1:
                raise _no_key(key) from error
            raise TemplateError(
                f"got the key {key!r} and vary={vary!r} for {{% cache %}}: {error.message}",
                fix="Write what tells the values apart: vary=user.id, or vary=(user.id, lang).",
            ) from error
    if len(text) > _LONGEST:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32)
        return f"fragment~:{source}:{'text' if plain else 'value'}:{digest.hexdigest()}"
    # The length of `source` is the same for all.
    return f"fragment{'' if plain else '+'}:{source}:{text}"


def _no_key(key: object) -> TemplateError:
    return TemplateError(
        f"got {key!r} as the key of {{% cache %}}, expected a text that is not empty, a number, "
        "or a tuple of them.",
        fix='Write {% cache "sidebar" 300 %}, or the parts: {% cache ("post", post.id) 300 %}.',
    )


def _plain(value: object) -> Any:
    """A value whose texts are plain `str`: what a template joins is often `Markup`."""
    if isinstance(value, str):
        return str(value) if type(value) is str else "".join((value, ""))
    if isinstance(value, tuple | list):
        return tuple(_plain(item) for item in cast("Sequence[object]", value))
    return value


def fragment_time(ttl: object, name: str = "time") -> float | None:
    """Return seconds above 0, None for for ever. Raises `TemplateError` for anything else."""
    if ttl is None:
        return None
    if isinstance(ttl, timedelta):
        ttl = ttl.total_seconds()
    if isinstance(ttl, int | float) and not isinstance(ttl, bool) and ttl > 0:
        return float(ttl)
    raise TemplateError(
        f"got {ttl!r} as the {name} of {{% cache %}}, expected seconds above 0, a timedelta, "
        "or nothing (for ever).",
        fix='Write {% cache "sidebar" 300 %}.',
    )


def fragment_tags(tags: object) -> tuple[str, ...]:
    """Return the tags of a fragment, as those of pages are. Raises `TemplateError`."""
    given = (tags,) if isinstance(tags, str) else tags
    if isinstance(given, Sequence | set | frozenset):
        names = cast("Sequence[object]", given)
        found = [data_tag(str(name)) if isinstance(name, str) else name for name in names]
        if all(isinstance(name, str) and tag_problem(name) is None for name in found):
            return tuple(dict.fromkeys(cast("list[str]", found)))
    raise TemplateError(
        f"got tags={tags!r} for {{% cache %}}, expected several names.",
        fix='Write tags=["posts"], or tags=["posts", "post:" ~ post.slug].',
    )
