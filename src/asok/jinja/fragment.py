"""Cached fragments with holes: what `{% cache %}` keeps, and how it is filled.

A fragment renders under sentinels of its own, so that what is stored holds no visitor's
nonce or token; it is filled from the values of the render around it, which may be
sentinels themselves where the page is stored as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from markupsafe import Markup

from asok import holes
from asok.drafting import is_draft
from asok.errors import TemplateError

__all__ = ["Fragments", "remembered"]

_log = logging.getLogger("asok.templates")


class Fragments(Protocol):
    """The port of `{% cache %}`: a store of texts."""

    def get_or_render(
        self, key: str, ttl: float | timedelta | None, render: Callable[[], str]
    ) -> str:
        """Return the text stored under `key`, or `render()` after storing it.

        `ttl` is in seconds, None for ever. What `render` raises is raised and not stored.
        """
        ...


def remembered(
    fragments: Fragments | None, key: object, ttl: object, body: Callable[[], str]
) -> Markup:
    """Return the fragment `key`, rendered by `body` where `fragments` does not have it.

    Without a store, or in a draft, `body` is rendered each time and kept nowhere. Raises
    `TemplateError` for a key or ttl that can't be one.
    """
    name, seconds = _key(key), _ttl(ttl)
    if fragments is None or is_draft():
        return Markup(body())  # noqa: S704 (what a template wrote)

    def render() -> str:
        around = holes.current.get()
        sentinels = holes.Sentinels(tokens=around is None or around.tokens)
        with holes.use(sentinels):
            text = str(body())
        return sentinels.cut(text.encode()).to_json()

    stored = fragments.get_or_render(name, seconds, render)
    try:
        holed = holes.Holed.from_json(stored)
    except ValueError:
        # Whoever wrote that, the page is worth more than the store's opinion of it.
        _log.warning("the fragment %r in the cache is damaged and was rendered anew", name)
        holed = holes.Holed.from_json(render())
    return Markup(_filled(holed))  # noqa: S704 (what a template wrote)


def _filled(holed: holes.Holed) -> str:
    """The fragment for the render that goes on; like `Holed.fill_from`, but takes sentinels."""
    if not holed.kinds:
        return holed.slices[0].decode()
    values = holes.secrets()
    parts = [holed.slices[0].decode()]
    for kind, piece in zip(holed.kinds, holed.slices[1:], strict=True):
        parts.append(values.nonce if kind == "nonce" else values.csrf)
        parts.append(piece.decode())
    return "".join(parts)


def _key(key: object) -> str:
    if isinstance(key, str | int) and not isinstance(key, bool) and str(key):
        return str(key)
    raise TemplateError(
        f"got {key!r} as the key of {{% cache %}}, expected a text that is not empty.",
        fix='Write {% cache "sidebar" 300 %}, or join parts: {% cache "post-" ~ post.id 300 %}.',
    )


def _ttl(ttl: object) -> float | timedelta | None:
    if ttl is None:
        return None
    if isinstance(ttl, timedelta) and ttl > timedelta():
        return ttl
    if isinstance(ttl, int | float) and not isinstance(ttl, bool) and ttl > 0:
        return ttl
    raise TemplateError(
        f"got {ttl!r} as the time of {{% cache %}}, expected seconds above 0, a timedelta, "
        "or nothing (for ever).",
        fix='Write {% cache "sidebar" 300 %}.',
    )
