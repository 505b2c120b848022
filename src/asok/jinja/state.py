"""Where in HTML a position of a template is, and whether two branches meet in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from asok.jinja import elements
from asok.jinja.tag import Tag

__all__ = ["Different", "Mode", "Seen", "State", "Unreadable", "joined"]


class Mode(Enum):
    """The tokeniser's state; the value names it in an error."""

    DATA = "text"
    TAG_NAME = "a tag's name"
    BETWEEN = "a tag"
    SEPARATE = "a tag, right behind an attribute"
    ATTRIBUTE = "an attribute's name"
    AFTER_ATTRIBUTE = "a tag, behind an attribute's name"
    BEFORE_VALUE = "a tag, before an attribute's value"
    DOUBLE_QUOTED = "an attribute's value in double quotes"
    SINGLE_QUOTED = "an attribute's value in single quotes"
    UNQUOTED = "an attribute's value without quotes"
    COMMENT = "a comment"
    BOGUS_COMMENT = "markup that begins with <! or <?"
    CDATA = "a CDATA section"
    RAW_TEXT = "an element whose text is no markup"
    PLAINTEXT = "the text behind <plaintext>"


class Unreadable(Exception):
    """HTML whose structure can't be known; `offset` is where, `fix` what to do."""

    def __init__(self, message: str, offset: int, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.fix = fix


class Different(Exception):
    """Two branches end in places from which the same text would be read differently."""


@dataclass(frozen=True, slots=True)
class State:
    """What has to be known at a position to go on from there.

    `tail` is the part of a construct that the text so far ended in (`<`, `--`, `</scr`);
    `element` the raw-text element that is open; `escape` the depth of a script's
    `<!--` (1) and the `<script` in it (2), or 1 in a comment that is empty so far;
    `foreign` the open SVG and MathML elements that matter, innermost last; `forms` the start
    offsets of the form that may be open, None for none. `since` is where the comment or raw
    text began, for error messages only.
    """

    mode: Mode = Mode.DATA
    tail: str = ""
    element: str = ""
    escape: int = 0
    tag: Tag | None = None
    foreign: tuple[str, ...] = ()
    noscript: bool = False
    forms: frozenset[int | None] = frozenset({None})
    since: int = field(default=0, compare=False)

    def the_tag(self) -> Tag:
        """The tag that is being read; only for the modes inside one."""
        assert self.tag is not None
        return self.tag

    def within(self, mode: Mode, tag: Tag) -> State:
        """This state inside `tag`."""
        return replace(self, mode=mode, tag=tag, tail="")

    @property
    def place(self) -> str:
        """Where this is, for an error message."""
        if self.mode is Mode.RAW_TEXT:
            return f"the text of <{self.element}>"
        if self.foreign and self.mode is Mode.DATA:
            return f"text inside <{self.foreign[-1]}>"
        if self.noscript and self.mode is Mode.DATA:
            return "text inside <noscript>"
        return f"{self.mode.value} behind {self.tail!r}" if self.tail else self.mode.value


#: Called with the state before a tag, the tag, and the offset behind its `>`.
Seen = Callable[[State, Tag, int], None]

#: Modes that are the same place if white space, `/` or `>` follows.
_LOOSE: Final = frozenset(
    {
        Mode.TAG_NAME,
        Mode.BETWEEN,
        Mode.SEPARATE,
        Mode.ATTRIBUTE,
        Mode.AFTER_ATTRIBUTE,
        Mode.UNQUOTED,
    }
)


def joined(one: State, other: State) -> State:
    """Return what is known where both states may be the case. Raises `Different`."""
    if one == other:
        return one
    one = replace(one, forms=one.forms | other.forms)
    other = replace(other, forms=one.forms)
    if one.mode is other.mode is Mode.COMMENT and not one.tail and not other.tail:
        return replace(one, escape=0)
    if one.tag is None or other.tag is None:
        if one != other:
            raise Different
        return one
    mode, first, second = _same_place(one.mode, one.tag, other.mode, other.tag)
    if replace(one, mode=mode, tag=first) != replace(other, mode=mode, tag=first):
        raise Different
    return one.within(mode, first.joined(second))


def _same_place(mode: Mode, tag: Tag, other_mode: Mode, other: Tag) -> tuple[Mode, Tag, Tag]:
    if tag.closing != other.closing:
        raise Different
    if tag.name != other.name and {tag.name, other.name} & elements.SPECIAL:
        raise Different
    written = (tag.name, tag.attribute) == (other.name, other.attribute)
    if mode is other_mode and (written or mode not in (Mode.TAG_NAME, Mode.ATTRIBUTE)):
        return mode, tag, other
    if not {mode, other_mode} <= _LOOSE:
        raise Different
    spaced = {mode, other_mode} == {Mode.BETWEEN, Mode.AFTER_ATTRIBUTE}
    return Mode.BETWEEN if spaced else Mode.SEPARATE, tag.commit(), other.commit()
