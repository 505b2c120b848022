"""Template source as pieces: literal text, outputs and statements, each with its offset.

Jinja's own lexer finds the pieces, so that strings, comments, raw blocks and whitespace
control mean here what they mean when the template is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment

__all__ = ["Output", "Piece", "Statement", "Text", "normalise", "pieces"]

_NEWLINE = re.compile(r"\r\n|\r")
_BEGINS = {"variable_begin": "variable_end", "block_begin": "block_end"}


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text as it will be written; `raw` where it stood inside `{% raw %}`."""

    offset: int
    text: str
    raw: bool


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ … }}`; `names` are the identifiers in it, attribute names included.

    `asset` is True for `{{ static(…) }}` or `{{ url(…) }}` and nothing else: the URL of a file
    or of a page of this site.
    """

    offset: int
    names: frozenset[str]
    asset: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """`{% … %}`: its first word, its identifiers, and its tokens as (type, text)."""

    offset: int
    keyword: str
    names: frozenset[str]
    tokens: tuple[tuple[str, str], ...]

    @property
    def argument(self) -> tuple[str, str]:
        """The token after the keyword; an empty one where there is none."""
        return self.tokens[1] if len(self.tokens) > 1 else ("", "")

    @property
    def assigns(self) -> bool:
        """True for `{% set a = … %}`, False for a `{% set a %}` that has a body."""
        depth = 0
        for kind, text in self.tokens:
            if kind != "operator":
                continue
            depth += (text in "([{") - (text in ")]}")
            if text == "=" and depth == 0:
                return True
        return False

    @property
    def filters(self) -> tuple[str, ...]:
        """The names of the filters that `{% filter … %}` or `{% set a | … %}` applies."""
        if self.keyword not in ("filter", "set"):
            return ()
        found = [text for _, text in self.tokens[1:2] if self.keyword == "filter"]
        for (kind, text), (_, name) in zip(self.tokens, self.tokens[1:], strict=False):
            if kind == "operator" and text == "|":
                found.append(name)
        return tuple(found)


Piece = Text | Output | Statement


def normalise(source: str) -> str:
    """Return `source` with `\\n` for every line break, as Jinja's lexer reads it."""
    return _NEWLINE.sub("\n", source)


def pieces(environment: Environment, source: str, file: str | None) -> Iterator[Piece]:
    """Yield the pieces of normalised `source` in order; comments are nothing.

    Raises Jinja's `TemplateSyntaxError`, which names `file`, where the lexer does.
    """
    position = 0
    raw = False
    end: str | None = None
    begin = 0
    tokens: list[tuple[str, str]] = []
    for _, kind, value in environment.lexer.tokeniter(source, file, file):
        # Whitespace that `-` took away is in no token: the next token begins behind it.
        position = source.index(value, position)
        if end is not None:
            if kind == end:
                yield _tag(kind, begin, tokens)
                end = None
            elif kind != "whitespace":
                tokens.append((kind, value))
        elif kind == "data":
            yield Text(position, value, raw)
        elif kind in _BEGINS:
            end, begin, tokens = _BEGINS[kind], position, []
        elif kind == "raw_begin":
            raw = True
        elif kind == "raw_end":
            raw = False
        position += len(value)


def _is_asset(tokens: list[tuple[str, str]]) -> bool:
    """Whether these tokens are one call of `static` or `url`, without a filter or anything else."""
    texts = [text for _, text in tokens]
    if texts[:2] not in (["static", "("], ["url", "("]) or texts[-1] != ")":
        return False
    depth = 0
    for at, (kind, text) in enumerate(tokens):
        if kind == "operator":
            depth += (text == "(") - (text == ")")
            if depth == 0 and at != 0 and at != len(tokens) - 1:
                return False
    return True


def _tag(end: str, offset: int, tokens: list[tuple[str, str]]) -> Output | Statement:
    names = frozenset(value for kind, value in tokens if kind == "name")
    if end == "variable_end":
        return Output(offset, names, _is_asset(tokens))
    keyword = tokens[0][1] if tokens else ""
    return Statement(offset, keyword, names, tuple(tokens))
