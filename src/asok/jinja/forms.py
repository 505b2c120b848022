"""Which forms of a template get the hidden CSRF input, and which have to ask for it.

A form gets it where it certainly posts to this site. A form that posts to another site
never does: the token would be sent there. Where that can't be known from the source, the
form has to hold `{{ csrf_input() }}` or say `data-csrf="off"`.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum

from asok.jinja.state import Unreadable
from asok.jinja.structure import FoundTag, Structure
from asok.jinja.tag import DYNAMIC

__all__ = ["Target", "inputs", "target"]

_ASKS = frozenset({"csrf_input", "csrf_token"})


_FIX = (
    "Write {{ csrf_input() }} inside the form if it posts to this site only; write "
    'data-csrf="off" on the <form> if it may post to another one.'
)


class Target(Enum):
    """Where a form's action leads."""

    SAME = "this site"
    FOREIGN = "another site"
    UNKNOWN = "what is only known at render"


_IGNORED = re.compile(r"[\t\n\r]")
_STRIPPED = "".join(map(chr, range(0x21)))
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_MAY_BECOME_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)?", re.IGNORECASE)


def target(action: str | None) -> Target:
    """Tell where an `action` leads, from its literal beginning (URL Standard 4.4).

    None is a missing attribute, `DYNAMIC` in the text what is only known at render.
    """
    if action is None:
        return Target.SAME
    # Browsers drop tabs and line breaks anywhere, and spaces and controls at both ends.
    literal, unknown, _ = html.unescape(action.replace(DYNAMIC, "\ue000")).partition("\ue000")
    literal = _IGNORED.sub("", literal).lstrip(_STRIPPED).replace("\\", "/")
    if not unknown:
        literal = literal.rstrip(_STRIPPED)
    if _SCHEME.match(literal) or literal.startswith("//"):
        return Target.FOREIGN
    if unknown and (literal == "/" or _MAY_BECOME_SCHEME.fullmatch(literal)):
        return Target.UNKNOWN
    return Target.SAME


class _Form:
    """A form's start tag with what stands between it and its end."""

    def __init__(self, start: FoundTag, end: int, structure: Structure) -> None:
        self.tag = start.tag
        self.inner = [
            found.tag
            for found in structure.tags.values()
            if start.end <= found.tag.start < end and not found.tag.closing
        ]
        self.asks = any(
            start.end <= offset < end and not names.isdisjoint(_ASKS)
            for offset, names in structure.names
        ) or any("csrf_token" in tag.values("name") for tag in self.inner)

    def methods(self) -> tuple[bool, bool]:
        """Whether it may post, and whether it certainly does.

        Only `post` posts: any other word than `post` and `dialog` means `get` (HTML
        4.10.18.6), which would put the token into the URL.
        """
        certain = _posts(self.tag.values("method"))
        buttons = [
            _posts(tag.values("formmethod")) for tag in self.inner if "formmethod" in tag.attributes
        ]
        all_of = [certain, *buttons]
        return any(True in found for found in all_of), all_of == [{True}] * len(all_of)

    def targets(self) -> set[Target]:
        found = {target(value) for value in self.tag.values("action")}
        for tag in self.inner:
            if "formaction" in tag.attributes:
                found |= {target(v) for v in tag.values("formaction") if v is not None}
        return found

    def wants(self) -> bool:
        """Whether the input is to be added. Raises `Unreadable` where that can't be known."""
        may_post, posts = self.methods()
        targets = self.targets()
        if (
            not may_post
            or self.asks
            or targets == {Target.FOREIGN}
            or self.tag.values("data-csrf").issubset({"off"})
        ):
            return False
        if posts and targets == {Target.SAME}:
            return True
        if not posts:
            why = "this form may post, but its method is only known at render"
        elif Target.UNKNOWN in targets:
            why = "this form posts to an address that is only known at render"
        else:
            why = "this form posts to this site and to another one"
        raise Unreadable(why, self.tag.start, _FIX)


def _posts(values: frozenset[str | None]) -> set[bool]:
    found: set[bool] = set()
    for value in values:
        if value is not None and DYNAMIC in value:
            found |= {True, False}
        else:
            found.add(value is not None and html.unescape(value).lower() == "post")
    return found


def inputs(structure: Structure) -> Iterator[int]:
    """Yield the offsets where the hidden CSRF input belongs.

    Raises `Unreadable` for a form that can't be known and does not ask, and for one that
    stands inside another, where browsers ignore it.
    """
    starts = [
        found
        for found in structure.tags.values()
        if found.tag.name == "form" and not found.tag.closing and not found.state.foreign
    ]
    ends = sorted(
        found.tag.start
        for found in structure.tags.values()
        if found.tag.name == "form" and found.tag.closing
    )
    adding: dict[int, bool] = {}
    for start in starts:
        at = bisect_left(ends, start.end)
        form = _Form(start, ends[at] if at < len(ends) else 1 << 62, structure)
        adding[start.tag.start] = wants = not start.tag.raw and form.wants()
        if not wants:
            continue
        outer = [adding.get(offset, False) for offset in start.state.forms if offset is not None]
        if not all(outer):
            raise Unreadable(
                "this form stands inside another form, where browsers ignore its tag",
                start.tag.start,
                "Close the other form before it.",
            )
        yield start.end
