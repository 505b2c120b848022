"""Where an SVG names other files: `href`, `xlink:href`, `url()` in its styles, its stylesheets.

expat reads it as XML 1.0 says. In a start tag that expat took, attributes are a regular
language, so their places are looked up there; what is CSS is read as CSS, with the
entities and CDATA sections of XML undone, each place of which is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import unescape
from xml.parsers import expat
from xml.sax.saxutils import escape

from asok.assets import css
from asok.assets.references import Reference, Unreadable

__all__ = ["references"]

# What an SVG needs to hold a reference to another file at all.
_ANY = re.compile(r"href|url\(|src\(|@import|image-set", re.IGNORECASE)
_NAMESPACES = ("", "http://www.w3.org/2000/svg")
_XLINK = "http://www.w3.org/1999/xlink"
_NAME = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=>/]+)\s*=\s*("[^"]*"|'[^']*')""")
_PSEUDO = re.compile(r"""(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_MARKUP = re.compile(
    r"<!\[CDATA\[(.*?)\]\]>|<!--.*?-->|<\?.*?\?>|&(?:#[0-9]+|#x[0-9a-fA-F]+|\w+);", re.DOTALL
)
_QUOTES = {'"': "&quot;", "'": "&#39;"}


def references(text: str) -> Iterator[Reference]:
    """Yield the references of an SVG in order.

    `<a href>` leads to a page, and `#home` into the document itself; neither is one. Raises
    `Unreadable` for what is no well-formed XML.
    """
    if not _ANY.search(text):
        return
    reader = _Reader(text)
    line = place = 0
    for value, start, end, quote in reader.found:
        line, place = line + text.count("\n", place, start), start
        yield Reference(value, start, end, line + 1, quote)


class _Reader:
    """Reads one SVG; `found` are value, start, end and how to write another value there."""

    def __init__(self, text: str) -> None:
        self.found: list[tuple[str, int, int, Callable[[str], str]]] = []
        self._text = text
        self._data = text.encode()
        self._byte = self._character = 0
        self._style = -1
        parser = self._parser = expat.ParserCreate("utf-8", " ")
        parser.ordered_attributes = True
        parser.specified_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(self._data, True)
        except expat.ExpatError as error:
            problem = f"no well-formed XML: {expat.ErrorString(error.code)}"
            raise Unreadable(problem, error.lineno) from error

    def _at(self, byte: int) -> int:
        """The place in the text of a byte; asked for in order, so that all is read once."""
        self._character += len(self._data[self._byte : byte].decode())
        self._byte = byte
        return self._character

    def _start(self, name: str, given: Sequence[str]) -> None:
        namespace, _, local = name.rpartition(" ")
        index = self._parser.CurrentByteIndex
        tag = _NAME.match(self._data, index)
        if tag is None or namespace not in _NAMESPACES:
            return  # out of an entity of the document's own, or no SVG
        values = iter(zip(given[::2], given[1::2], strict=True))
        end = tag.end()
        while (attribute := _ATTRIBUTE.match(self._data, end)) is not None:
            end = attribute.end()
            if attribute[1] != b"xmlns" and not attribute[1].startswith(b"xmlns:"):
                self._attribute(local, *next(values), attribute)
        if local == "style":
            self._style = self._data.index(b">", end) + 1

    def _attribute(self, element: str, name: str, value: str, found: re.Match[bytes]) -> None:
        if name in ("href", f"{_XLINK} href"):
            if element != "a" and not value.startswith(("#", "data:")):
                start, end = self._at(found.start(2) + 1), self._at(found.end(2) - 1)
                self.found.append((value, start, end, _in_tag))
        elif "(" in value:
            start, end = self._at(found.start(2) + 1), self._at(found.end(2) - 1)
            self._styles(start, end)

    def _end(self, name: str) -> None:
        if name.rpartition(" ")[2] == "style" and self._style >= 0:
            index = self._parser.CurrentByteIndex
            if self._data.startswith(b"</", index):
                start, end = self._at(self._style), self._at(index)
                self._styles(start, end)
            self._style = -1

    def _instruction(self, target: str, data: str) -> None:
        wanted = _PSEUDO.search(data) if target == "xml-stylesheet" else None
        if wanted is not None:
            index = self._data.index(data.encode(), self._parser.CurrentByteIndex)
            start, group = self._at(index), 1 if wanted[1] is not None else 2
            value = unescape(wanted[group])
            first, last = wanted.span(group)
            self.found.append((value, start + first, start + last, _in_tag))

    def _styles(self, start: int, end: int) -> None:
        raw = self._text[start:end]
        text, places = _undone(raw)
        for found in css.references(text):
            if not found.value.startswith(("#", "data:")):
                first, last = places[found.start][0], places[found.end - 1][1]
                in_data = raw.rfind("<![CDATA[", 0, first) > raw.rfind("]]>", 0, first)
                quote = css.quoted if in_data else partial(_in_tag, quote=css.quoted)
                self.found.append((found.value, start + first, start + last, quote))


def _undone(raw: str) -> tuple[str, list[tuple[int, int]]]:
    """Text as XML means it, and where each character of it begins and ends in `raw`."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    position = 0
    for markup in _MARKUP.finditer(raw):
        pieces.append(raw[position : markup.start()])
        places += ((at, at + 1) for at in range(position, markup.start()))
        position = markup.end()
        if markup[1] is not None:
            pieces.append(markup[1])
            places += ((at, at + 1) for at in range(markup.start(1), markup.end(1)))
        elif markup[0].startswith("&"):
            text = unescape(markup[0])
            pieces.append(text)
            places += (markup.span() for _ in text)
    pieces.append(raw[position:])
    places += ((at, at + 1) for at in range(position, len(raw)))
    return "".join(pieces), places


def _in_tag(url: str, *, quote: Callable[[str], str] = str) -> str:
    return escape(quote(url), _QUOTES)
