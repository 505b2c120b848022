"""The tokeniser's states inside a tag: its name, its attributes, its end (HTML 13.2.5.8-40)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from asok.jinja import elements
from asok.jinja.state import Mode, Seen, State, Unreadable
from asok.jinja.tag import ASSET, DYNAMIC, Tag

__all__ = ["STEPS", "Step", "dynamic"]

#: Reads on from an index of the text and returns the state and the index behind it.
#: Arguments: state, text, index, offset of the text in the source, raw, seen.
Step = Callable[[State, str, int, int, bool, Seen], tuple[State, int]]

_SPACE: Final = "\t\n\f\r "
_NAME = re.compile(r"[^\t\n\f\r />]*")
_SPACES = re.compile(r"[\t\n\f\r ]*")
_SPACES_OR_SLASHES = re.compile(r"[\t\n\f\r /]*")
_ATTRIBUTE = re.compile(r"[^\t\n\f\r />=]*")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    assert found is not None
    return found.end()


def dynamic(state: State, tag: Tag, offset: int, *, asset: bool = False) -> State:
    """Return the state behind text in a tag that is only known at render."""
    mode = state.mode
    if mode is Mode.TAG_NAME:
        if tag.name in elements.SPECIAL:
            raise Unreadable(
                f"<{tag.name} is followed by a Jinja block without a space between, so it may "
                "be another element",
                offset,
                f"Write a space behind <{tag.name}.",
            )
        return state.within(mode, tag.named(DYNAMIC, offset))
    if mode in (Mode.DOUBLE_QUOTED, Mode.SINGLE_QUOTED):
        return state.within(mode, tag.add(ASSET if asset else DYNAMIC))
    if mode in (Mode.UNQUOTED, Mode.BEFORE_VALUE):
        # Without quotes the value may end in a space and bring attributes of its own.
        return state.within(Mode.UNQUOTED, tag.add(DYNAMIC).opened())
    if mode is not Mode.ATTRIBUTE:
        tag = tag.commit()
    return state.within(Mode.ATTRIBUTE, tag.begin(DYNAMIC))


def _tag_name(
    state: State, text: str, at: int, offset: int, _raw: bool, _seen: Seen
) -> tuple[State, int]:
    end = _end(_NAME, text, at)
    tag = state.the_tag()
    if end > at:
        tag = tag.named(text[at:end], offset + end)
    return state.within(Mode.TAG_NAME if end == len(text) else Mode.BETWEEN, tag), end


def _between(
    state: State, text: str, at: int, offset: int, _raw: bool, seen: Seen
) -> tuple[State, int]:
    end = _end(_SPACES_OR_SLASHES, text, at)
    tag = state.the_tag()
    if end > at:
        tag = replace(tag, slash=text[end - 1] == "/")
    if end == len(text):
        return state.within(Mode.BETWEEN, tag), end
    if text[end] == ">":
        return _finish(state, tag, offset + end + 1, seen), end + 1
    # A "=" here is a parse error that begins an attribute's name.
    name_end = _end(_ATTRIBUTE, text, end + 1)
    return state.within(Mode.ATTRIBUTE, tag.begin(text[end:name_end])), name_end


def _separate(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    if text[at] not in _SPACE + "/>":
        raise Unreadable(
            "the branches before this end in different places of a tag, and what follows "
            "would continue one of them",
            state.the_tag().start,
            "Write a space behind {% endif %}, or the whole attribute inside each branch.",
        )
    return state.within(Mode.BETWEEN, state.the_tag()), at


def _attribute(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    end = _end(_ATTRIBUTE, text, at)
    tag = state.the_tag()
    if end > at:
        tag = tag.begin(text[at:end])
    if end == len(text):
        return state.within(Mode.ATTRIBUTE, tag), end
    if text[end] == "=":
        return state.within(Mode.BEFORE_VALUE, tag), end + 1
    if text[end] in "/>":
        return state.within(Mode.BETWEEN, tag.commit()), end
    return state.within(Mode.AFTER_ATTRIBUTE, tag), end


def _after_attribute(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    end = _end(_SPACES, text, at)
    tag = state.the_tag()
    if end == len(text):
        return state, end
    if text[end] == "=":
        return state.within(Mode.BEFORE_VALUE, tag), end + 1
    return state.within(Mode.BETWEEN, tag.commit()), end


def _before_value(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    end = _end(_SPACES, text, at)
    tag = state.the_tag()
    if end == len(text):
        return state, end
    if text[end] == '"':
        return state.within(Mode.DOUBLE_QUOTED, tag), end + 1
    if text[end] == "'":
        return state.within(Mode.SINGLE_QUOTED, tag), end + 1
    if text[end] == ">":
        return state.within(Mode.BETWEEN, tag.commit()), end
    return state.within(Mode.UNQUOTED, tag), end


def _quoted(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    end = text.find('"' if state.mode is Mode.DOUBLE_QUOTED else "'", at)
    tag = state.the_tag()
    if end < 0:
        return state.within(state.mode, tag.add(text[at:])), len(text)
    return state.within(Mode.BETWEEN, tag.add(text[at:end]).commit()), end + 1


def _unquoted(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    end = _end(_UNQUOTED, text, at)
    tag = state.the_tag().add(text[at:end])
    if end == len(text):
        return state.within(Mode.UNQUOTED, tag), end
    return state.within(Mode.BETWEEN, tag.commit()), end


def _finish(state: State, tag: Tag, end: int, seen: Seen) -> State:
    """The state behind a tag's `>`."""
    foreign, html = elements.after(state.foreign, tag)
    seen(replace(state, foreign=foreign), tag, end)
    after = replace(state, mode=Mode.DATA, tag=None, tail="", foreign=foreign)
    if not html:
        return after
    if tag.name == "noscript":
        return replace(after, noscript=not tag.closing)
    if tag.name == "form":
        return replace(after, forms=frozenset({None if tag.closing else tag.start}))
    if tag.closing:
        return after
    if tag.name == "plaintext":
        return replace(after, mode=Mode.PLAINTEXT)
    if tag.name in elements.RAW_TEXT:
        return replace(after, mode=Mode.RAW_TEXT, element=tag.name, since=tag.start)
    return after


STEPS: Final[dict[Mode, Step]] = {
    Mode.TAG_NAME: _tag_name,
    Mode.BETWEEN: _between,
    Mode.SEPARATE: _separate,
    Mode.ATTRIBUTE: _attribute,
    Mode.AFTER_ATTRIBUTE: _after_attribute,
    Mode.BEFORE_VALUE: _before_value,
    Mode.DOUBLE_QUOTED: _quoted,
    Mode.SINGLE_QUOTED: _quoted,
    Mode.UNQUOTED: _unquoted,
}
