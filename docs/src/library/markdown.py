"""Markdown as HTML: anchors at headings, highlighted code, scrollable tables, no inline styles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

__all__ = ["Heading", "Rendered", "Section", "render"]

#: Words of a fence that pygments knows by another name.
LANGUAGES = {"html": "html+jinja", "jinja": "html+jinja", "env": "bash", "": "text"}
FILE = re.compile(r'\bfile="?([^"\s]+)"?')


@dataclass(frozen=True)
class Heading:
    """A heading that the table of contents shows. `level` is 2 or 3."""

    level: int
    anchor: str
    title: str


@dataclass(frozen=True)
class Section:
    """The words below one heading, for the search. `anchor` is empty above the first one."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """A document as HTML, with its headings and its words."""

    html: Markup
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]


def render(source: str) -> Rendered:
    """Return CommonMark `source`, with tables, as HTML."""
    tokens = _parser().parse(source)
    headings = _number_headings(tokens)
    html = _parser().renderer.render(tokens, _parser().options, {})
    # markdown-it escapes everything; HTML in the source stays text.
    return Rendered(Markup(html), headings, _sections(tokens))  # noqa: S704


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("heading_close", _heading_close)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _number_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    """Give every heading an id that is unique in its document; return those of level 2 and 3."""
    taken: set[str] = set()
    found: list[Heading] = []
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        title = _words(inline)
        base = re.sub(r"[^\w]+", "-", title.lower()).strip("-") or "section"
        anchor, number = base, 2
        while anchor in taken:
            anchor, number = f"{base}-{number}", number + 1
        taken.add(anchor)
        token.attrSet("id", anchor)
        level = int(token.tag[1])
        if level in (2, 3):
            found.append(Heading(level, anchor, title))
    return tuple(found)


def _words(token: Token) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in token.children or ()
    )


def _sections(tokens: Sequence[Token]) -> tuple[Section, ...]:
    found: list[Section] = []
    anchor, title, words = "", "", list[str]()
    opened: Token | None = None
    for token in tokens:
        if token.type == "heading_open" and token.tag in ("h2", "h3"):
            found.append(Section(anchor, title, " ".join(words)))
            opened, words = token, []
        elif token.type == "inline" and opened is not None:
            anchor, title, opened = str(opened.attrGet("id")), _words(token), None
        elif token.type == "inline":
            words.append(_words(token))
        elif token.type == "fence":
            words.append(token.content)
    found.append(Section(anchor, title, " ".join(words)))
    return tuple(found)


def _heading_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    opened = next(t for t in reversed(tokens[:index]) if t.type == "heading_open")
    name = escape(_words(tokens[index - 1]))
    link = f'<a class="anchor" href="#{opened.attrGet("id")}" aria-label="Link to “{name}”">#</a>'
    return f"{link if opened.tag != 'h1' else ''}</{opened.tag}>\n"


# What scrolls sideways must be reachable by the keyboard: tabindex, a role and a name (axe:
# scrollable-region-focusable).
def _table_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    name = _name_of_its_own(env, "Table")
    return f'<div class="table" tabindex="0" role="region" aria-label="{name}"><table>\n'


def _name_of_its_own(env: dict[str, Any], name: str) -> str:
    """Return `name`, numbered from the second of a document on: landmarks need own names."""
    counts: dict[str, int] = env.setdefault("names", {})
    counts[name] = counts.get(name, 0) + 1
    return name if counts[name] == 1 else f"{name}, {counts[name]}"


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _fence(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    info = tokens[index].info.strip()
    language = info.split(" ")[0]
    named = FILE.search(info)
    label = named[1] if named else ""
    try:
        lexer = get_lexer_by_name(LANGUAGES.get(language, language))
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    code = highlight(tokens[index].content, lexer, HtmlFormatter(nowrap=True, classprefix="c-"))
    caption = f"<figcaption>{escape(label)}</figcaption>" if label else ""
    spoken = escape(_name_of_its_own(env, f"Code: {label or language or 'text'}"))
    return (
        f'<figure class="code">{caption}<pre tabindex="0" role="region" aria-label="{spoken}">'
        f"<code>{code}</code></pre></figure>\n"
    )
