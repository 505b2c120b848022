"""A tokeniser of HTML that is written in parts: HTML Standard 13.2.5 over template text.

`feed` takes the state before a piece of literal text and returns the state after it;
`dynamic` does so for text that is only known at render. States are values, so that the
branches of a template can be followed from one state and compared at their ends. Tags
are given to `seen` when they end.

`<noscript>` is read as markup, which it is to the visitors it is written for; where a
browser with scripting would see its end elsewhere is an error.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from asok.jinja import elements, markup
from asok.jinja.state import Mode, Seen, State, Unreadable
from asok.jinja.tag import DYNAMIC, Tag

__all__ = ["dynamic", "feed"]

_COMMENT_END = re.compile(r"--!?>")
_COMMENT_ENDS_AT_ONCE = re.compile(r"-?>")
_CDATA_END = re.compile(r"\]\]>")
_SCRIPT = re.compile(r"<!--|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)
_NOSCRIPT = re.compile(r"</noscript", re.IGNORECASE)
_RAW_END: Final = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE) for name in elements.RAW_TEXT
}
#: What a script's text may end in that matters, by the depth of its escape.
_SCRIPT_MARKS: Final = (
    ("</script", "<!--"),
    ("</script", "<script", "-->"),
    ("</script", "-->"),
)


def feed(state: State, text: str, offset: int, *, raw: bool, seen: Seen) -> State:
    """Return the state behind `text`, which stands at `offset` of the source.

    Tags that begin in `raw` text are marked. Raises `Unreadable`.
    """
    if state.tail and text:
        offset -= len(state.tail)
        text = state.tail + text
        state = replace(state, tail="")
    at = 0
    while at < len(text):
        before = state
        state, end = _STEPS[state.mode](state, text, at, offset, raw, seen)
        if before.noscript and before.mode is not Mode.DATA and _NOSCRIPT.search(text, at, end):
            raise Unreadable(
                f"</noscript> stands inside {before.place}",
                offset + at,
                "Browsers with scripting end the element there and others do not; move it.",
            )
        at = end
    return state


def dynamic(state: State, offset: int, *, asset: bool = False) -> State:
    """Return the state behind text that is only known at render. Raises `Unreadable`.

    With `asset` the text is at least known to be the URL of a file of this site.
    """
    if state.tag is not None:
        return markup.dynamic(state, state.tag, offset, asset=asset)
    if state.mode is not Mode.DATA or not state.tail:
        return replace(state, tail="", escape=state.escape if state.element else 0)
    if state.tail not in ("<", "</"):
        raise Unreadable(
            f"{state.tail!r} is followed by a Jinja block", offset, "Write &lt; for a plain '<'."
        )
    tag = Tag(offset - len(state.tail), closing=state.tail == "</").named(DYNAMIC, offset)
    return state.within(Mode.TAG_NAME, tag)


def _begun(text: str, *marks: str) -> str:
    """The end of `text` that may be the beginning of one of `marks`."""
    for length in range(min(len(text), max(map(len, marks))), 0, -1):
        end = text[-length:]
        if any(mark.startswith(end.lower()) for mark in marks):
            return end
    return ""


def _data(
    state: State, text: str, at: int, offset: int, raw: bool, _seen: Seen
) -> tuple[State, int]:
    start = text.find("<", at)
    if start < 0:
        return state, len(text)
    if len(text) - start < 9 and _begun(text[start:], "</", "<!-", "<![cdata") == text[start:]:
        return replace(state, tail=text[start:]), len(text)
    closing = text.startswith("</", start)
    name_at = start + 2 if closing else start + 1
    first = text[name_at]
    if first.isascii() and first.isalpha():
        return state.within(Mode.TAG_NAME, Tag(offset + start, closing=closing, raw=raw)), name_at
    if text.startswith("<!--", start):
        return replace(state, mode=Mode.COMMENT, escape=1, since=offset + start), start + 4
    if text.startswith("<![CDATA[", start) and elements.is_foreign(state.foreign):
        return replace(state, mode=Mode.CDATA, since=offset + start), start + 9
    if closing or first in "!?":
        return replace(state, mode=Mode.BOGUS_COMMENT, since=offset + start), start + 2
    return state, start + 1


def _until(
    state: State, text: str, at: int, end: re.Pattern[str], *marks: str
) -> tuple[State, int]:
    found = end.search(text, at)
    if found is None:
        return replace(state, tail=_begun(text[at:], *marks)), len(text)
    return replace(state, mode=Mode.DATA), found.end()


def _comment(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    if state.escape:
        # Nothing is in it yet: "<!-->" and "<!--->" are whole comments.
        if ended := _COMMENT_ENDS_AT_ONCE.match(text, at):
            return replace(state, mode=Mode.DATA, escape=0), ended.end()
        if text[at:] == "-":
            return replace(state, tail="-"), len(text)
        state = replace(state, escape=0)
    return _until(state, text, at, _COMMENT_END, "--!", "--")


def _cdata(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    return _until(state, text, at, _CDATA_END, "]]")


def _bogus_comment(state: State, text: str, at: int, *_: object) -> tuple[State, int]:
    end = text.find(">", at)
    return (state, len(text)) if end < 0 else (replace(state, mode=Mode.DATA), end + 1)


def _plaintext(state: State, text: str, *_: object) -> tuple[State, int]:
    return state, len(text)


def _raw_text(
    state: State, text: str, at: int, offset: int, raw: bool, _seen: Seen
) -> tuple[State, int]:
    script = state.element == "script"
    found = (_SCRIPT if script else _RAW_END[state.element]).search(text, at)
    if found is None:
        marks = _SCRIPT_MARKS[state.escape] if script else (f"</{state.element}",)
        return replace(state, tail=_begun(text[at:], *marks)), len(text)
    mark = found.group().lower()
    if script and (depth := _escape(state.escape, mark)) is not None:
        # "<!-->" opens and closes at once: its dashes are also those of "-->".
        return replace(state, escape=depth), found.end() - (2 if mark == "<!--" else 0)
    tag = Tag(offset + found.start(), closing=True, raw=raw)
    tag = tag.named(state.element, offset + found.end())
    return replace(state, element="", escape=0).within(Mode.BETWEEN, tag), found.end()


def _escape(depth: int, mark: str) -> int | None:
    """The escape depth of a script behind `mark`; None where `mark` ends the script."""
    if mark == "-->":
        return 0
    if mark == "<!--":
        return max(depth, 1)
    if mark == "<script":
        return 2 if depth else 0
    return 1 if depth == 2 else None


_STEPS: Final[dict[Mode, markup.Step]] = {
    **markup.STEPS,
    Mode.DATA: _data,
    Mode.COMMENT: _comment,
    Mode.BOGUS_COMMENT: _bogus_comment,
    Mode.CDATA: _cdata,
    Mode.RAW_TEXT: _raw_text,
    Mode.PLAINTEXT: _plaintext,
}
