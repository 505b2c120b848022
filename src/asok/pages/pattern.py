"""From folder names to segments: `blog`, `[slug]`, `[id:int]`, `[...path]`, `index`."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from asok.errors import RouteError
from asok.pages.kinds import KINDS, is_segment
from asok.pages.route import Segment

__all__ = ["parse"]

_PARAMETER = re.compile(r"\[(?P<rest>\.\.\.)?(?P<name>[^\[\]:.]*)(?::(?P<kind>[^\[\]]*))?\]")
# Characters with a meaning in addresses, in shells or in other frameworks' folder names.
_RESERVED = re.compile(r"[?#%;<>\"{}|^`()\[\]\s]")


def parse(names: Sequence[str], file: Path) -> tuple[Segment, ...]:
    """Return the segments for the folders `names` between the pages' root and `file`.

    A last folder named `index` stands for its parent. Raises `RouteError` naming `file`.
    """
    if names and names[-1] == "index":
        names = names[:-1]
    segments = tuple(_segment(name, file) for name in names)
    for position, segment in enumerate(segments):
        if segment.kind == "rest" and position != len(segments) - 1:
            raise RouteError(
                f"{segment.text} takes the rest of the path, but folders follow it.",
                fix=f"Put the page directly into {segment.text}, or use [{segment.name}].",
                file=file,
            )
        earlier = [part.name for part in segments[:position] if part.kind != "static"]
        if segment.kind != "static" and segment.name in earlier:
            raise RouteError(
                f"the parameter {segment.name!r} is used twice in one path.",
                fix="Give each parameter of a path its own name.",
                file=file,
            )
    return segments


def _segment(name: str, file: Path) -> Segment:
    if "[" in name or "]" in name:
        return _parameter(name, file)
    text = unicodedata.normalize("NFC", name)
    if text == "index":
        raise RouteError(
            "a folder named index stands for its parent and can't hold further pages.",
            fix="Move what is in it one folder up.",
            file=file,
        )
    found = _RESERVED.search(text)
    if found is not None or not is_segment(text):
        shown = found.group() if found else text
        hint = (
            "Folders in parentheses do not group pages here: name the folder as the address."
            if shown in "()"
            else "Rename the folder to letters, digits, '-', '_' and '.'."
        )
        raise RouteError(
            f"the folder {name!r} can't be part of an address: {shown!r}.", fix=hint, file=file
        )
    return Segment(text, "static")


def _parameter(name: str, file: Path) -> Segment:
    match = _PARAMETER.fullmatch(name)
    if match is None:
        inner = re.search(r"\[+(?:\.\.\.)?(\w+)", name)
        proposal = f"[{inner.group(1)}]" if inner else "[slug]"
        raise RouteError(
            f"the folder {name!r} is no parameter: one is a whole folder name, as in [slug], "
            "[id:int] or [...path].",
            fix=f"Rename it to {proposal}.",
            file=file,
        )
    rest, parameter, kind = match["rest"], match["name"], match["kind"]
    if not parameter.isidentifier() or not parameter.isascii() or parameter.startswith("_"):
        cleaned = re.sub(r"\W+", "_", parameter, flags=re.ASCII).strip("_0123456789") or "slug"
        raise RouteError(
            f"{parameter!r} in the folder {name!r} is no parameter name.",
            fix=f"Rename it to [{rest or ''}{cleaned}].",
            file=file,
        )
    if rest:
        if kind is not None:
            raise RouteError(
                f"{name!r} takes the rest of the path, which is text and has no type.",
                fix=f"Rename it to [...{parameter}].",
                file=file,
            )
        return Segment(parameter, "rest")
    if kind is None:
        return Segment(parameter, "plain")
    types = [known for known in KINDS if known != "plain"]
    if kind not in types:
        aliases = {"integer": "int", "number": "float", "str": "", "string": "", "path": ""}
        close = difflib.get_close_matches(kind.lower(), types, 1, 0.5)
        guess = aliases.get(kind.lower(), close[0] if close else None)
        if kind.lower() == "path":
            fix = f"Did you mean [...{parameter}]?"
        elif guess is None:
            fix = f"Expected one of {', '.join(types)}, or none: [{parameter}]."
        else:
            fix = f"Did you mean [{parameter}{':' + guess if guess else ''}]?"
        raise RouteError(
            f"{kind!r} in the folder {name!r} is no type of parameter.", fix=fix, file=file
        )
    return Segment(parameter, kind)
