"""Where a stylesheet names other files: `url()`, `src()`, `@import`, `image-set()`.

A tokenizer by CSS Syntax Level 3, section 4, of which only comments, strings, names, `url(`
and brackets matter here. It keeps the place of every token, so that a rewritten stylesheet
differs from its source in the references and in nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Reference", "references", "rewritten"]

_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}(?:\r\n|[ \t\n\r\f])?|[^\n\r\f0-9a-fA-F])"
_TOKEN = re.compile(
    rf"""
    (?P<comment> /\*(?:[^*]|\*(?!/))*+(?:\*/|\Z) )
  | (?P<string>  "(?:[^"\\\n\r\f]|\\(?:\r\n|.|\Z))*+"? | '(?:[^'\\\n\r\f]|\\(?:\r\n|.|\Z))*+'? )
  | (?P<name>    [@\#]?(?:[-\w]|[^\x00-\x7f]|{_ESCAPE})++ ) (?P<call> \( )?
  | (?P<mark>    [(){{}}\[\];] )
  | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
# Section 4.3.6: what an unquoted url may hold, up to its bracket or the end of the file.
_UNQUOTED = re.compile(
    rf"[ \t\n\r\f]*+((?:[^\"'()\\\x00-\x20\x7f]|{_ESCAPE})*+)[ \t\n\r\f]*+(?:\)|\Z)"
)
_BAD_URL = re.compile(rf"(?:[^)\\]|{_ESCAPE}|\\)*+\)?", re.DOTALL)
_QUOTE_FOLLOWS = re.compile(r"[ \t\n\r\f]*+[\"']")
_UNESCAPE = re.compile(
    r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\r\f])?|(\r\n|[\n\r\f])|(.))", re.DOTALL
)

_URL_CALLS = frozenset({"url", "src"})
_SET_CALLS = frozenset({"image-set", "-webkit-image-set"})
_CLOSES = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: its value with escapes undone, its place, and its line (1-based).

    `start` and `end` enclose what is replaced, quotes included where the source has them;
    an unquoted `url(…)` is enclosed between its brackets.
    """

    value: str
    start: int
    end: int
    line: int


def rewritten(css: str, replace: Callable[[Reference], str | None]) -> str:
    """Return `css` with each reference that `replace` answers with a text changed to it."""
    pieces: list[str] = []
    position = 0
    for reference in references(css):
        text = replace(reference)
        if text is not None:
            pieces += (css[position : reference.start], _quoted(text))
            position = reference.end
    return "".join((*pieces, css[position:]))


def references(css: str) -> Iterator[Reference]:
    """Yield the references of a stylesheet in order. Linear in its length."""
    # Names of the open brackets and calls; `at` is the at-rule whose prelude is being read.
    opened: list[str] = []
    at = ""
    position = counted = 0
    line = 1
    while match := _TOKEN.match(css, position):
        position = match.end()
        kind = match.lastgroup
        if kind == "call":
            name = _plain(match["name"]).lower()
            if name == "url" and not _QUOTE_FOLLOWS.match(css, position):
                whole = _UNQUOTED.match(css, position)
                if whole is None:
                    bad = _BAD_URL.match(css, position)
                    position = bad.end() if bad else len(css)
                    continue
                line, counted = line + _lines(css, counted, position), position
                if at != "@namespace":
                    yield Reference(_plain(whole[1]), whole.start(1), whole.end(1), line)
                position = whole.end()
            else:
                opened.append(name)
        elif kind == "string" and _is_whole(match["string"], at_end=position == len(css)):
            inside = opened[-1] if opened else ""
            if (at == "@import" and not opened) or (
                inside in _SET_CALLS or (inside in _URL_CALLS and at != "@namespace")
            ):
                line, counted = line + _lines(css, counted, match.start()), match.start()
                value = _plain(_inner(match["string"]))
                yield Reference(value, match.start(), position, line)
                at = "" if at == "@import" else at  # the one string of an import is its file
        elif kind == "name":
            if match["name"].startswith("@"):
                at = _plain(match["name"]).lower()
        elif kind == "mark":
            at = _mark(match["mark"], opened, at)


def _mark(mark: str, opened: list[str], at: str) -> str:
    if mark in "([{":
        opened.append(mark)
        return "" if mark == "{" else at
    if mark == ";":
        return at if opened and opened[-1] != "{" else ""
    # A closing bracket ends the nearest call or bracket of its kind; a stray one is skipped.
    wanted = _CLOSES[mark]
    if opened and (opened[-1] == wanted or (mark == ")" and opened[-1] not in "([{")):
        opened.pop()
    return "" if mark == "}" else at


def _is_whole(string: str, *, at_end: bool) -> bool:
    # A string that a newline cuts is bad (section 4.3.5), one that the file's end cuts is not.
    return at_end or (len(string) > 1 and string[-1] == string[0])


def _inner(string: str) -> str:
    return string[1:-1] if len(string) > 1 and string[-1] == string[0] else string[1:]


def _lines(css: str, start: int, end: int) -> int:
    return css.count("\n", start, end)


def _plain(text: str) -> str:
    return _UNESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[3] or ""  # a newline after a backslash continues the string
    point = int(match[1], 16)
    valid = 0 < point < 0x110000 and not 0xD800 <= point < 0xE000
    return chr(point) if valid else "\ufffd"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ")
    return f'"{escaped}"'
