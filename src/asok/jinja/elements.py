"""What the tree builder tells the tokeniser: raw-text elements and foreign content.

HTML Standard 13.2.6: the text of some elements is no markup, and inside SVG and MathML
those rules do not hold, except at their integration points, where HTML begins anew.
"""

from __future__ import annotations

import re
from typing import Final

from asok.jinja.tag import Tag

__all__ = ["RAW_TEXT", "SPECIAL", "after", "is_foreign"]

#: Elements whose text ends at their own end tag and nowhere else.
RAW_TEXT: Final = frozenset(
    {"iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"}
)
#: Elements whose name must be certain, because what follows or is added depends on it.
SPECIAL: Final = RAW_TEXT | {"form", "math", "noscript", "plaintext", "svg"}

#: Children of these are HTML again (13.2.6: HTML and MathML text integration points).
_INTEGRATION: Final = {
    "svg": frozenset({"desc", "foreignobject", "title"}),
    "math": frozenset({"mi", "mn", "mo", "ms", "mtext"}),
}
#: HTML start tags that end foreign content (13.2.6.5).
_BREAKOUT: Final = re.compile(
    "b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|embed|h[1-6]|head|hr|i|img|li|listing|"
    "menu|meta|nobr|ol|p|pre|ruby|s|small|span|strong|strike|sub|sup|table|tt|u|ul|var"
)


def is_foreign(stack: tuple[str, ...]) -> bool:
    """Whether markup inside these open elements is SVG or MathML."""
    return bool(stack) and stack[-1] in _INTEGRATION


def _html(stack: tuple[str, ...]) -> tuple[str, ...]:
    """The open elements after foreign content was broken out of."""
    while is_foreign(stack):
        stack = stack[:-1]
    return stack


def after(stack: tuple[str, ...], tag: Tag) -> tuple[tuple[str, ...], bool]:
    """Return the open elements that matter behind `tag`, and whether it is an HTML tag."""
    name = tag.name
    if tag.closing:
        if name in stack:
            return stack[: len(stack) - 1 - stack[::-1].index(name)], False
        return (_html(stack), True) if name in ("br", "p") else (stack, not is_foreign(stack))
    if _BREAKOUT.fullmatch(name):
        return _html(stack), True
    if name in _INTEGRATION or (is_foreign(stack) and name in _INTEGRATION[stack[-1]]):
        return stack if tag.slash else (*stack, name), False
    return stack, not is_foreign(stack)
