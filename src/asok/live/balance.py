"""Whether a component's HTML ends what it begins: else it takes in what follows on the page."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

__all__ = ["VOID", "Unbalanced", "check_balance"]

#: Elements without an end (HTML, 13.1.2).
VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
     "track", "wbr"}
)  # fmt: skip
#: Elements whose end may be left out (HTML, 13.1.2.4).
_OPTIONAL: Final = frozenset(
    {"body", "caption", "colgroup", "dd", "dt", "head", "html", "li", "optgroup", "option", "p",
     "rp", "rt", "tbody", "td", "tfoot", "th", "thead", "tr"}
)  # fmt: skip
_FOREIGN: Final = frozenset({"svg", "math"})


class Unbalanced(ValueError):
    """`tag` is opened and not closed, or (`stray`) closed and not open."""

    def __init__(self, tag: str, *, stray: bool) -> None:
        self.tag = tag
        self.stray = stray
        super().__init__(f"ends a <{tag}> that is not open" if stray else f"never ends its <{tag}>")


def check_balance(html: str) -> None:
    """Raise `Unbalanced` where a browser would put what follows somewhere else."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Outside SVG and MathML a browser takes `<div/>` as `<div>`.
        if _FOREIGN.isdisjoint((*self._open, tag)):
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or (tag not in self._open and tag in _OPTIONAL):
            return
        if tag not in self._open:
            raise Unbalanced(tag, stray=True)
        while self._open[-1] != tag:
            self._end_of(self._open.pop())
        self._open.pop()

    def end(self) -> None:
        """The HTML is over."""
        while self._open:
            self._end_of(self._open.pop())

    def _end_of(self, tag: str) -> None:
        """An element ends because one around it does."""
        if tag not in _OPTIONAL and _FOREIGN.isdisjoint(self._open):
            raise Unbalanced(tag, stray=False)
