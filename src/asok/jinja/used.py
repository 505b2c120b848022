"""What a kept fragment takes from the handler: values that came with the visitor, or may have.

A fragment notes what it reads of `request` itself. A handler may have read that before, and
hand it over under another name. Where the value is the very object (`name=request.user.name`),
that is certain. Where it was made from one (`f"Hello {name}"`), nobody can know, and while
developing the log asks.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from jinja2 import Undefined

from asok import sharing

__all__ = ["visitors", "warn_of_doubts"]

_log = logging.getLogger("asok.templates")

#: What says who the visitor is, or what this one asked for.
_TELLING: Final = frozenset({"client", "cookie", "header", "query", "session", "user"})

#: Fragments that the log has asked about, so that it asks once.
_asked: set[tuple[str, str]] = set()


def visitors(uses: Mapping[str, object]) -> Iterator[str]:
    """The names of what of the visitor those values are: `user`, `session:cart`."""
    reader = sharing.reader.get()
    if reader is not None:
        for value in uses.values():
            found = reader.origin(value)
            if found is not None:
                yield found


def warn_of_doubts(
    fragment: str, key: object, uses: Mapping[str, object], allowed: Collection[str]
) -> None:
    """Log, once, which variables may be made of what the handler had looked at."""
    reader = sharing.reader.get()
    names = [name for name, value in uses.items() if _may_differ(value)]
    if reader is None or not names:
        return
    known = {what.partition(":")[0] for what in allowed}
    read = sorted(_TELLING.intersection(reader.read) - known)
    shown = ", ".join(names)
    if not read or (fragment, shown) in _asked:
        return
    _asked.add((fragment, shown))
    _log.warning(
        "the fragment %r is kept for everybody ({%% cache %%}) and shows %s; the handler had "
        "looked at the visitor's %s by then. If one is made of that, say so: "
        "{%% cache %r 300, vary=%s %%}.",
        key,
        shown,
        ", ".join(read),
        str(key),
        names[0],
    )


def _may_differ(value: object) -> bool:
    """Whether a value can be one of a handler: no function or module of the template's."""
    return not callable(value) and not isinstance(value, Undefined)
