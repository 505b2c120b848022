"""Where a stylesheet names other files: `url()`, `src()`, `@import`, `image-set()`.

tinycss2 reads it as CSS Syntax Level 3 says. Only the place of a reference is then looked
up in the source, so that a rewritten stylesheet differs from it in the references and in
nothing else: no list of CSS's own rules has to be complete for the rest to survive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, cast

from asok.assets.references import Reference

__all__ = ["normalised", "quoted", "references"]

_URL_CALLS = frozenset({"url", "src"})
_SET_CALLS = frozenset({"image-set", "-webkit-image-set"})
# What a stylesheet needs to hold one of them at all, escapes included.
_ANY = re.compile(r"import|url|src|image-set|\\", re.IGNORECASE)

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*+"?|\'(?:[^\'\\\n]|\\.)*+\'?', re.DOTALL)
_CALL = re.compile(r"[^(]*\([ \t\n]*+", re.DOTALL)
_UNQUOTED = re.compile(r"(?:[^)\\ \t\n]|\\[0-9a-fA-F]{1,6}[ \t\n]?|\\.)*+", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n?|\f")


class _Node(Protocol):
    """What is used of a node of tinycss2, which has no types of its own."""

    type: str
    value: str
    lower_value: str
    lower_name: str
    source_line: int
    source_column: int
    content: list[_Node]
    arguments: list[_Node]


def normalised(css: str) -> str:
    """Return `css` as CSS reads it (section 3.3): one kind of line break and no NUL."""
    return _NEWLINE.sub("\n", css).replace("\0", "\ufffd")


def references(css: str) -> Iterator[Reference]:
    """Yield the references of a normalised stylesheet in order."""
    if not _ANY.search(css):
        return
    import tinycss2  # pyright: ignore[reportMissingTypeStubs] # needed by a build alone

    read = cast("Any", tinycss2).parse_component_value_list
    lines = [0]
    while (found := css.find("\n", lines[-1])) >= 0:
        lines.append(found + 1)
    for node in _named(cast("list[_Node]", read(css, skip_comments=True))):
        start = lines[node.source_line - 1] + node.source_column - 1
        if node.type == "string":
            match = _STRING.match(css, start)
        else:
            call = _CALL.match(css, start)
            match = _UNQUOTED.match(css, call.end() if call else start)
        if match is not None:
            line = css.count("\n", lines[node.source_line - 1], match.start()) + node.source_line
            # tinycss2 lets an escaped surrogate pass, which is no character (section 4.3.7).
            value = _SURROGATE.sub("\ufffd", node.value)
            yield Reference(value, match.start(), match.end(), line, quoted)


def quoted(text: str) -> str:
    """Return `text` as a string of CSS."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ")
    return f'"{escaped}"'


def _named(nodes: Sequence[_Node]) -> Iterator[_Node]:
    """Yield the strings and URLs that name files.

    The stack holds lists that are being read, each with the call that it stands in and the
    at-rule whose prelude it is.
    """
    stack: list[tuple[Iterator[_Node], str, str]] = [(iter(nodes), "", "")]
    while stack:
        rest, call, at = stack.pop()
        for node in rest:
            kind = node.type
            if kind == "at-keyword":
                at = node.lower_value
            elif kind == "literal":
                at = "" if node.value == ";" else at
            elif kind == "url":
                if at != "namespace":
                    yield node
                at = "" if at == "import" else at
            elif kind == "string":
                if _is_file(call, at):
                    yield node
                    at = "" if at == "import" else at  # the one string of an import is its file
            elif kind == "function":
                inner = "namespace" if at == "namespace" else ""
                stack += ((rest, call, at), (iter(node.arguments), node.lower_name, inner))
                if at == "import" and node.lower_name in _URL_CALLS:
                    stack[-2] = (rest, call, "")
                break
            elif kind.endswith("block"):
                braces = kind == "{} block"
                stack += (
                    (rest, call, "" if braces else at),
                    (iter(node.content), "" if braces else kind, "" if braces else at),
                )
                break


def _is_file(call: str, at: str) -> bool:
    if at == "namespace":
        return False
    return call in _URL_CALLS or call in _SET_CALLS or (at == "import" and not call)
