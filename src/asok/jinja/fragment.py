"""Cached fragments with holes: what `{% cache %}` keeps, and how it is filled.

A fragment renders under sentinels of its own, so that what is stored holds no visitor's
nonce or token; it is filled from the values of the render around it, which may be
sentinels themselves where the page is stored as well. What it reads of the visitor is
refused, unless its key or `vary` was made of that; what it carries (tags, its end) goes on to
the fragment or page around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from math import inf
from types import MappingProxyType
from typing import Protocol

from markupsafe import Markup

from asok import holes, sharing
from asok.drafting import is_draft
from asok.errors import TemplateError
from asok.jinja.fragment_key import NOTHING, fragment_key, fragment_tags, fragment_time
from asok.jinja.kept_fragment import Fragment
from asok.jinja.used import visitors, warn_of_doubts
from asok.sharing import Sharing, share

__all__ = ["Fragments", "Opened", "remembered"]


class Fragments(Protocol):
    """The port of `{% cache %}`: a store of fragments."""

    def get_or_render(
        self, key: str, render: Callable[[], Fragment], *, stale: float = 0.0
    ) -> Fragment:
        """Return the fragment stored under `key`, or `render()` after storing it until its end.

        For `stale` seconds after that the old one is returned to all but one caller, who
        renders. What `render` raises is raised to that caller alone, and not stored.
        """
        ...

    def tokens(self, tags: Collection[str]) -> Mapping[str, str]:
        """Return tags with the tokens that they have now."""
        ...


class Opened:
    """A `{% cache %}` whose key and `vary` are being evaluated: notes what they are made of."""

    __slots__ = ("_noted",)

    def __init__(self) -> None:
        self._noted = Sharing()
        # Not undone where an expression fails: a note here is one of the render around, too.
        sharing.current.set(self._noted)

    def end(self) -> Collection[str]:
        """Return the names of what was read of the visitor."""
        sharing.current.set(self._noted.outer)
        return self._noted.reads


def remembered(
    fragments: Fragments | None,
    opened: Opened | None,
    key: object,
    ttl: object,
    source: str,
    body: Callable[[], str],
    *,
    vary: object = NOTHING,
    tags: object = (),
    stale: object = None,
    uses: Mapping[str, object] = MappingProxyType({}),
    doubt: bool = False,
) -> Markup:
    """Return the fragment `key`, rendered by `body` where `fragments` does not have it.

    `source` stands for the text of `body`, and `uses` are the variables that it takes from around
    it: one that is the visitor's is refused as if it was read inside. With `doubt` the log says
    which may be, as the handler had looked at its visitor. Without a store, or in a draft, `body`
    is rendered each time and kept nowhere. Raises `TemplateError` for arguments that can't be.
    """
    allowed = () if opened is None else opened.end()
    name, seconds = fragment_key(key, vary, source), fragment_time(ttl)
    names = fragment_tags(tags)
    grace = 0.0 if stale is None else fragment_time(stale, "stale") or inf
    if fragments is None or is_draft():
        return Markup(body())  # noqa: S704 (what a template wrote)

    def render() -> Fragment:
        around = holes.current.get()
        sentinels = holes.Sentinels(tokens=around is None or around.tokens)
        inside = Sharing(
            lambda what: _refuse(key, what), allowed=allowed, part=name, ask=fragments.tokens
        )
        inside.tag(names)
        for what in visitors(uses):
            inside.note(what)
        if doubt:
            warn_of_doubts(name, key, uses, allowed)
        inside.inherit({}, inf if seconds is None else time.time() + seconds)
        with holes.use(sentinels), share(inside):
            text = str(body())
        return Fragment(text=sentinels.cut(text.encode()), tags=inside.tags, until=inside.until)

    found = fragments.get_or_render(name, render, stale=grace)
    outer = sharing.current.get()
    if outer is not None:
        outer.inherit(found.tags, found.until)
    return Markup(_filled(found.text))  # noqa: S704 (what a template wrote)


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


#: How what was read is written in a template, by its kind.
_WRITTEN: Mapping[str, str] = {
    "cookie": "cookies",
    "header": "headers",
    "query": "args",
    "session": "session",
    "user": "user",
}


def _refuse(key: object, what: str) -> None:
    """Raise the error for a fragment that read something of the visitor."""
    kind, _, name = what.partition(":")
    read = f"request.{_WRITTEN.get(kind, kind)}"
    if name and name != "*":
        read += f"[{name!r}]"
    shown = key if isinstance(key, str) else repr(key)
    raise TemplateError(
        f"the fragment {shown!r} is kept for everybody ({{% cache %}}), but it read {read}, "
        "which differs between visitors and pages.",
        fix=f'Make it a part of the key, {{% cache "{shown}" 300, vary={read} %}}, or write it '
        "outside of the fragment.",
    )
