"""Where a script names other modules and files: imports, `import()`, `new URL(…)`.

tree-sitter's JavaScript grammar reads it: which of `import './a.js'` stands in a comment, a
template or a regular expression, only a parser knows. Found are static imports and exports,
`import()` of a literal, and `new URL("…", import.meta.url)`, the way that bundlers know to
name a file beside a module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from asok.assets.references import Reference

__all__ = ["is_relative", "quoted", "references"]

# What a script needs to hold any of them; most vendored ones are told apart by it.
_ANY = re.compile(rb"\b(?:import|export)\b")
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL
)
_SIMPLE: Final = dict(zip("bfnrtv0\n", ["\b", "\f", "\n", "\r", "\t", "\v", "\0", ""], strict=True))
_QUERY: Final = """
(import_statement source: (string) @static)
(export_statement source: (string) @static)
(call_expression function: (import) arguments: (arguments . (string) @dynamic))
(new_expression
  constructor: (identifier) @class
  arguments: (arguments . (string) @file . (member_expression) @base .)
  (#eq? @class "URL") (#eq? @base "import.meta.url"))
"""


@dataclass(frozen=True, slots=True)
class _Grammar:
    parser: Any
    cursor: Any


@cache
def _grammar() -> _Grammar:
    # Needed by a build alone, and by few of those.
    import tree_sitter
    import tree_sitter_javascript

    language = tree_sitter.Language(tree_sitter_javascript.language())
    cursor = tree_sitter.QueryCursor(tree_sitter.Query(language, _QUERY))
    return _Grammar(tree_sitter.Parser(language), cursor)


def is_relative(specifier: str) -> bool:
    """Return True for a specifier that is a path; any other is a bare name or a URL."""
    return specifier.startswith(("./", "../", "/"))


def references(text: str) -> Iterator[Reference]:
    """Yield the references of a script in order; nothing where it can't be read.

    A bare name (`"js/cart.js"`, `"preact"`) is marked as such: an import map gives it its
    URL in the browser, so it stays as it is.
    """
    data = text.encode()
    if not _ANY.search(data):
        return
    grammar = _grammar()
    found: dict[int, tuple[str, Any]] = {}
    for kind, nodes in grammar.cursor.captures(grammar.parser.parse(data).root_node).items():
        if kind in ("static", "dynamic", "file"):
            found.update({node.start_byte: (kind, node) for node in nodes})
    position = behind = 0
    for start in sorted(found):
        kind, node = found[start]
        behind += len(data[position:start].decode())
        position = start
        literal = data[start : node.end_byte].decode()
        value = _ESCAPE.sub(_character, literal[1:-1])
        elsewhere = ":" in value.partition("/")[0]
        yield Reference(
            value,
            behind,
            behind + len(literal),
            node.start_point.row + 1,
            quoted,
            bare=kind != "file" and not is_relative(value) and not elsewhere,
            at_once=kind == "static",
        )


def quoted(url: str) -> str:
    """Return a relative `url` as the literal of a module specifier, which begins with a dot."""
    return json.dumps(url if is_relative(url) else f"./{url}", ensure_ascii=False)


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is not None:
        point = int(code, 16)
        return chr(point) if point < 0x110000 and not 0xD800 <= point < 0xE000 else "\ufffd"
    return _SIMPLE.get(match[4], match[4])
